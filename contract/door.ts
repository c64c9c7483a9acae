// How anything from outside becomes a typed value: once, by schema, with every fault and its path.
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { failed, ok, type Result } from '#domain/result.js';

/** One thing that is wrong, and where: `/devices/2/unit must be <= 255`. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** No message of ours needs more; a hostile payload could otherwise make a fault for every byte. */
const FAULTS_MAX = 50;

// The library stops at the eighth fault; a person wants them all at once.
Settings.Set({ maxErrors: 200 });

export type Door<T> = (value: unknown) => Result<T, readonly Fault[]>;

/** Compiles a schema into a door. Build it once, at module level. */
export function doorOf<S extends TSchema>(schema: S): Door<Static<S>> {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return ok(value as Static<S>);
    const faults = validator.Errors(value).filter((error) => error.keyword !== 'boolean');
    return failed(
      faults.slice(0, FAULTS_MAX).map((error) => ({ path: error.instancePath || '/', message: describe(error) })),
    );
  };
}

function describe(error: { keyword: string; message: string; params: object }): string {
  const params = error.params as { additionalProperties?: string[]; allowedValue?: unknown; allowedValues?: unknown[] };
  if (error.keyword === 'additionalProperties')
    return `does not know ${(params.additionalProperties ?? []).join(', ')}`;
  if (error.keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`;
  if (error.keyword === 'enum') return `must be one of ${(params.allowedValues ?? []).map(String).join(', ')}`;
  return error.message;
}

/** Parses JSON text and sends it through a door. `bytesMax` keeps a hostile peer from making us parse megabytes. */
export function parseJson<T>(door: Door<T>, bytes: Uint8Array, bytesMax: number): Result<T, readonly Fault[]> {
  if (bytes.length > bytesMax)
    return failed([{ path: '/', message: `has ${bytes.length} bytes, more than ${bytesMax}` }]);
  try {
    return door(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')));
  } catch {
    return failed([{ path: '/', message: 'is not JSON' }]);
  }
}
