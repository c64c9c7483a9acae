// The alarm rules as data: what is tested, with which limit and delays, and which rule silences which.
import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { doorOf, type Fault } from '#contract/door.js';
import { DEVICE_KINDS } from '#domain/device-kind.js';
import { isNumeric, type MetricKind, metricOf } from '#domain/metric.js';
import { failed, ok, type Result } from '#domain/result.js';
import { RULE_IDS } from '#texts/alarm-rules.js';

const closed = { additionalProperties: false } as const;
const seconds = Type.Number({ minimum: 0, maximum: 2_592_000 });
const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));

const TestSchema = Type.Union([
  /** A gauge beyond its limit; it is back when it has returned by the deadband. */
  Type.Object(
    {
      kind: Type.Literal('limit'),
      metric: Type.String(),
      direction: literals(['below', 'above'] as const),
      limit: Type.Number(),
      deadband: Type.Number({ minimum: 0 }),
    },
    closed,
  ),
  /** The gateway's own record of a device says that it does not answer. */
  Type.Object({ kind: Type.Literal('silence'), metric: Type.String(), silent: Type.String() }, closed),
  /** A state of a device is one of these. */
  Type.Object(
    { kind: Type.Literal('state'), metric: Type.String(), states: Type.Array(Type.String(), { minItems: 1 }) },
    closed,
  ),
  /** A counter is higher than it was last known to be. Of several metrics, the first that a device has speaks. */
  Type.Object({ kind: Type.Literal('increase'), metrics: Type.Array(Type.String(), { minItems: 1 }) }, closed),
  /** Who sends for the post is not whom the server knew (`server/ingest`). */
  Type.Object({ kind: Type.Literal('identity') }, closed),
  /** Nothing was heard of the post for so many batch periods, and at least for so long. */
  Type.Object({ kind: Type.Literal('contact'), batches: Type.Integer({ minimum: 1 }), limitS: seconds }, closed),
  /** Judged with the pump's own curve (`domain/pump.ts`). */
  Type.Object({ kind: Type.Literal('dryRun') }, closed),
  Type.Object({ kind: Type.Literal('noFlow') }, closed),
]);
export type RuleTest = Static<typeof TestSchema>;

const RuleSchema = Type.Object(
  {
    id: literals(RULE_IDS),
    test: TestSchema,
    /** Where several devices of a post tell the metric, those of the first kind found here speak for it. Absent: all. */
    deviceKinds: Type.Optional(Type.Array(literals(DEVICE_KINDS), { minItems: 1 })),
    priority: literalsOfPriority(),
    latching: Type.Boolean(),
    onDelayS: seconds,
    offDelayS: seconds,
    /** An acknowledged alarm that is still true announces itself again after so long. */
    reAlarmS: Type.Optional(seconds),
    /** So long after a parent has ended, the condition counts again. */
    settleS: Type.Optional(seconds),
    /** While one of these is true, this one says nothing. */
    parents: Type.Array(literals(RULE_IDS)),
  },
  closed,
);
export type Rule = Static<typeof RuleSchema>;

const CatalogueSchema = Type.Object({ version: Type.Literal(1), rules: Type.Array(RuleSchema) }, closed);
export type Catalogue = Static<typeof CatalogueSchema>;
const catalogueDoor = doorOf(CatalogueSchema);

function literalsOfPriority() {
  return Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)]);
}

/** Reads a catalogue. All faults of its form come together; those of its sense after the form is right. */
export function parseCatalogue(value: unknown): Result<Catalogue, readonly Fault[]> {
  const formed = catalogueDoor(value);
  if (!formed.ok) return formed;
  const faults = lintCatalogue(formed.value);
  return faults.length > 0 ? failed(faults) : ok(formed.value);
}

/** What a schema cannot say: each rule once, metrics that exist and are of the right kind, parents that come first. */
function lintCatalogue(catalogue: Catalogue): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [index, rule] of catalogue.rules.entries()) {
    const path = `/rules/${index}`;
    if (seen.has(rule.id)) faults.push({ path: `${path}/id`, message: `"${rule.id}" stands here a second time` });
    for (const parent of rule.parents)
      if (!seen.has(parent))
        faults.push({ path: `${path}/parents`, message: `"${parent}" must stand above the rules that it silences` });
    seen.add(rule.id);
    faults.push(...lintTest(rule.test, `${path}/test`));
  }
  for (const id of RULE_IDS) if (!seen.has(id)) faults.push({ path: '/rules', message: `"${id}" is missing` });
  return faults;
}

function lintTest(test: RuleTest, path: string): Fault[] {
  if (test.kind === 'increase')
    return test.metrics.flatMap((id, index) =>
      lintMetric(id, `${path}/metrics/${index}`, (kind) => kind === 'counter'),
    );
  if (test.kind === 'limit') return lintMetric(test.metric, `${path}/metric`, isNumeric);
  if (test.kind !== 'silence' && test.kind !== 'state') return [];
  return lintMetric(test.metric, `${path}/metric`, (kind) => kind === 'state');
}

function lintMetric(id: string, path: string, fits: (kind: MetricKind) => boolean): Fault[] {
  const metric = metricOf(id);
  if (metric === undefined) return [{ path, message: `there is no metric "${id}"` }];
  return fits(metric.kind) ? [] : [{ path, message: `"${id}" is a ${metric.kind}` }];
}

/** The metrics that a rule listens to on a device, best first; none for rules that are about more or other than one metric. */
export function metricsOf(test: RuleTest): readonly string[] {
  if (test.kind === 'increase') return test.metrics;
  return test.kind === 'limit' || test.kind === 'silence' || test.kind === 'state' ? [test.metric] : [];
}

/** The catalogue of this product. Throws when the file in the package is broken: that is no fault of a user. */
export function readCatalogue(): Catalogue {
  const parsed = parseCatalogue(JSON.parse(readFileSync(new URL('./catalogue.json', import.meta.url), 'utf8')));
  if (parsed.ok) return parsed.value;
  throw new Error(`alarm catalogue: ${parsed.fault.map(({ path, message }) => `${path} ${message}`).join('; ')}`);
}
