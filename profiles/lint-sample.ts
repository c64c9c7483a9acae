// What must hold for a sample: it gives words for everything, and says what each metric is.
import { isNumeric, metricOf } from '#domain/metric.js';
import { hasValue, REASONS, type Reason } from '#domain/quality.js';
import { addressesOf, metricsOf, placedRegisters, tableOf } from './extent.js';
import { type Finding, labelOf } from './lint.js';
import { type Profile, type ProfileSample, type Register, TABLES } from './profile.js';
import { didYouMean } from './suggest.js';
import { isUnlistedWord, listedWordsOf, wordsIn } from './words.js';

/** Findings of a sample against the profile it belongs to. */
export function lintSample(profile: Profile, sample: ProfileSample): Finding[] {
  const variants = (profile.variants ?? []).map(({ name }) => name);
  if (sample.variant !== undefined && !variants.includes(sample.variant))
    return [
      {
        path: '/variant',
        message: `"${sample.variant}" is no variant of "${profile.id}"${didYouMean(sample.variant, variants)}`,
      },
    ];
  return [...lintImage(profile, sample), ...lintReadings(profile, sample)];
}

function lintImage(profile: Profile, sample: ProfileSample): Finding[] {
  const findings: Finding[] = [];
  const known = new Set<string>();
  for (const table of TABLES)
    for (const [start, words] of Object.entries(sample.image[table] ?? {}))
      words.forEach((_, index) => {
        const key = `${table} ${Number(start) + index}`;
        if (known.has(key)) findings.push({ path: `/image/${table}/${start}`, message: `gives ${key} a second time` });
        known.add(key);
      });
  const used = new Set((profile.derived ?? []).flatMap((derived) => Object.values(derived).flat()));
  for (const { register } of placedRegisters(profile, sample.variant)) {
    if (register.metric === undefined && !used.has(register.name ?? '')) continue;
    const table = tableOf(profile, register);
    const missing = addressesOf(register).filter((address) => !known.has(`${table} ${address}`));
    if (missing.length > 0)
      findings.push({
        path: '/image',
        message: `has no word at ${table} ${missing.join(', ')}, which ${labelOf(register)} needs`,
      });
  }
  return findings;
}

function lintReadings(profile: Profile, sample: ProfileSample): Finding[] {
  const metrics = metricsOf(profile, sample.variant);
  const missing = metrics
    .filter((metric) => !Object.hasOwn(sample.readings, metric))
    .map((metric) => ({
      path: '/readings',
      message: `does not say what "${metric}" is: a sample asserts every metric`,
    }));
  const registers = new Map(
    placedRegisters(profile, sample.variant).flatMap(({ register }) =>
      register.metric ? [[register.metric, register]] : [],
    ),
  );
  const wrong = Object.entries(sample.readings).flatMap(([metric, expected]) => {
    const path = `/readings/${metric}`;
    if (!metrics.includes(metric))
      return [{ path, message: `"${metric}" is not a metric of "${profile.id}"${didYouMean(metric, metrics)}` }];
    const { value, reason } = typeof expected === 'object' ? expected : { value: expected, reason: 'good' };
    const message = complaintOf(metric, value, reason, registers.get(metric));
    return message === undefined ? [] : [{ path, message }];
  });
  return [...missing, ...wrong];
}

function complaintOf(
  metric: string,
  value: number | string | null,
  reason: string,
  register: Register | undefined,
): string | undefined {
  if (!Object.hasOwn(REASONS, reason)) return `"${reason}" is no reason${didYouMean(reason, Object.keys(REASONS))}`;
  if ((value === null) === hasValue(reason as Reason))
    return `${value === null ? 'no value' : 'a value'} does not go with the reason "${reason}"`;
  if (value === null) return undefined;
  const kind = metricOf(metric)?.kind ?? 'gauge';
  if (isNumeric(kind) !== (typeof value === 'number')) return `must be ${isNumeric(kind) ? 'a number' : 'a word'}`;
  return kind === 'state' && register ? wordComplaint(register, String(value)) : undefined;
}

/** A state or fault word that the register cannot come out as. */
function wordComplaint(register: Register, value: string): string | undefined {
  const known = listedWordsOf(register);
  const odd = wordsIn(register, value).find((word) => !known.has(word) && !isUnlistedWord(register, word));
  return odd === undefined ? undefined : `"${odd}" is no word of this register${didYouMean(odd, known)}`;
}
