import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonWithLines } from './json-lines.js';

const faultOf = (text: string) => {
  const parsed = parseJsonWithLines(text);
  return parsed.ok ? undefined : parsed.fault;
};

describe('JSON with lines', () => {
  it('reads every JSON text as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const parsed = parseJsonWithLines(text);
        expect(parsed.ok && parsed.value).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:1-.e0 \ntrue\\') }), (text) => {
        let allowed = true;
        try {
          JSON.parse(text);
        } catch {
          allowed = false;
        }
        const parsed = parseJsonWithLines(text);
        if (!allowed) expect(parsed.ok).toBe(false);
        else if (!parsed.ok) expect(parsed.fault.message).toContain('twice');
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the line of each value, and of what is around an absent one', () => {
    const parsed = parseJsonWithLines('{\n "a": [\n  1,\n  { "b": 2 }\n ]\n}');
    if (!parsed.ok) throw new Error('refused');
    expect(parsed.lineOf('/a')).toBe(2);
    expect(parsed.lineOf('/a/1')).toBe(4);
    expect(parsed.lineOf('/a/1/b')).toBe(4);
    expect(parsed.lineOf('/a/1/missing/deeper')).toBe(4);
    expect(parsed.lineOf('/')).toBe(1);
  });

  it('names the line and the reason of a text that is no JSON', () => {
    expect(faultOf('{\n"a": 1,\n}')).toEqual({ line: 3, message: 'is not JSON: expected a name in double quotes' });
    expect(faultOf('{\n"a": x}')).toEqual({ line: 2, message: 'is not JSON: "x" is no JSON value' });
    expect(faultOf('{"a": 1\n"b": 2}')?.line).toBe(2);
    expect(faultOf('{"a":')?.message).toContain('ends too early');
    expect(faultOf('')?.line).toBe(1);
  });

  it('refuses a name that stands twice in one object', () => {
    expect(faultOf('{"at": 1,\n"at": 2}')).toEqual({ line: 2, message: 'is not JSON: has "at" twice' });
  });

  it('refuses a text nested so deep that it could exhaust the stack', () => {
    expect(faultOf('['.repeat(100_000))?.message).toContain('nested deeper');
  });
});
