// What must hold for one register by itself.
import { isNumeric, METRICS, type Metric, metricOf } from '#domain/metric.js';
import { DEVICE_UNITS, type DeviceUnit } from '#domain/quantity.js';
import { addressesOf, hasFixedWords, type Placed, tableOf, wordCountOf } from './extent.js';
import type { Finding } from './lint.js';
import type { Profile, Register } from './profile.js';
import { didYouMean } from './suggest.js';

const NUMBERS = new Set<Register['type']>(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64']);
const WORDS = new Set<Register['type']>(['enum', 'bits', 'bit']);
const TEXTS = new Set<Register['type']>(['string', 'clock']);
/** Fields that say something about a number only. */
const NUMBER_FIELDS = ['scale', 'offset', 'scaleFrom', 'unit', 'sign', 'min', 'max', 'modulus'] as const;

export function isNumberType(type: Register['type']): boolean {
  return NUMBERS.has(type);
}

/** Findings of one register, whatever stands around it. */
export function lintRegister(profile: Profile, { register, path }: Placed): Finding[] {
  const complaints = [
    ...shapeComplaints(profile, register),
    ...fieldComplaints(register),
    ...patternComplaints(register),
    ...limitComplaints(register),
    ...metricComplaints(register),
  ];
  return complaints.map(([field, message]) => ({ path: field === '' ? path : `${path}/${field}`, message }));
}

type Complaint = readonly [field: string, message: string];

function shapeComplaints(profile: Profile, register: Register): Complaint[] {
  const { type, words, moreWordsAt, highWordAt, at } = register;
  const { alignment, maxRegisters } = profile.protocol;
  const count = wordCountOf(register);
  const table = tableOf(profile, register);
  const complaints: Complaint[] = [];
  if (words !== undefined && hasFixedWords(type) && words !== count)
    complaints.push(['words', `a ${type} has ${count} words, not ${words}`]);
  if (type === 'string' && words === undefined) complaints.push(['type', 'a string needs "words"']);
  if (type === 'clock' && count !== 3 && count !== 6) complaints.push(['words', 'a clock has 3 or 6 words']);
  if ((type === 'bit') !== (table === 'coil' || table === 'discrete'))
    complaints.push([
      'type',
      `"${type}" does not go with the table "${table}": coils and discrete inputs are of type "bit"`,
    ]);
  if (moreWordsAt && moreWordsAt.length !== count - 1)
    complaints.push(['moreWordsAt', `a ${type} needs ${count - 1} more words, ${moreWordsAt.length} are given`]);
  if (highWordAt !== undefined && type !== 'u16' && type !== 's16')
    complaints.push(['highWordAt', `is for u16 and s16, not for ${type}`]);
  if (Math.max(...addressesOf(register)) > 65_535) complaints.push(['at', 'reaches beyond address 65535']);
  if (!moreWordsAt && count > maxRegisters)
    complaints.push(['type', `has ${count} words, more than one request may read: ${maxRegisters}`]);
  if (alignment !== undefined && (at % alignment !== 0 || count % alignment !== 0))
    complaints.push([
      'at',
      `${at} with ${count} words breaks the alignment: start and count are multiples of ${alignment}`,
    ]);
  return complaints;
}

function fieldComplaints(register: Register): Complaint[] {
  const { type, states, bits, prefix, charPerWord } = register;
  const complaints: Complaint[] = [];
  if (!isNumberType(type))
    for (const field of NUMBER_FIELDS)
      if (register[field] !== undefined) complaints.push([field, `means nothing for the type "${type}"`]);
  if (states && type !== 'enum' && type !== 'bit')
    complaints.push(['states', `go with the type "enum", not "${type}"`]);
  if (prefix !== undefined && type !== 'enum') complaints.push(['prefix', `goes with the type "enum", not "${type}"`]);
  if (bits && type !== 'bits') complaints.push(['bits', `go with the type "bits", not "${type}"`]);
  if (charPerWord !== undefined && type !== 'string') complaints.push(['charPerWord', 'goes with the type "string"']);
  if (type === 'enum' && register.metric !== undefined && Object.keys(states ?? {}).length === 0)
    complaints.push(['states', 'are missing: which word stands for which code?']);
  if (type === 'bits' && register.metric !== undefined && Object.keys(bits ?? {}).length === 0)
    complaints.push(['bits', 'are missing: which code stands for which bit?']);
  return complaints;
}

function patternComplaints(register: Register): Complaint[] {
  const width = 16 * (wordCountOf(register) + (register.highWordAt === undefined ? 0 : 1));
  const fits = (raw: bigint) => raw < 1n << BigInt(width);
  const complaints: Complaint[] = [];
  for (const pattern of [...(register.invalid ?? []), ...(register.asleep ?? [])]) {
    if (pattern === 'NaN') {
      if (register.type !== 'f32' && register.type !== 'f64')
        complaints.push(['invalid', `a ${register.type} is never NaN`]);
    } else if (!fits(BigInt(pattern))) complaints.push(['invalid', `${pattern} does not fit into ${width} bits`]);
  }
  if (register.mask !== undefined && !fits(BigInt(register.mask)))
    complaints.push(['mask', `does not fit into ${width} bits`]);
  for (const bit of Object.keys(register.bits ?? {}))
    if (Number(bit) >= width) complaints.push([`bits/${bit}`, `there are ${width} bits, 0 to ${width - 1}`]);
  for (const code of Object.keys(register.states ?? {}))
    if (!fits(BigInt(code))) complaints.push([`states/${code}`, `does not fit into ${width} bits`]);
  return complaints;
}

function limitComplaints(register: Register): Complaint[] {
  const { min, max, scale } = register;
  const complaints: Complaint[] = [];
  if (min !== undefined && max !== undefined && min >= max) complaints.push(['min', `${min} is not below max ${max}`]);
  if (scale === 0) complaints.push(['scale', '0 makes every value 0']);
  return complaints;
}

function metricComplaints(register: Register): Complaint[] {
  const { metric: id, name } = register;
  if (id === undefined)
    return name === undefined ? [['', 'has neither "metric" nor "name", so nothing can use it']] : [];
  const metric = metricOf(id);
  if (!metric) return [['metric', `"${id}" is not in the vocabulary${didYouMean(id, METRICS.keys())}`]];
  const complaints: Complaint[] = [];
  if (isNumeric(metric.kind)) complaints.push(...unitComplaints(register, metric));
  if (!fitsKind(register.type, metric))
    complaints.push(['type', `a ${register.type} cannot be "${id}", which is a ${metric.kind}`]);
  if (metric.kind === 'counter' && register.poll === 'rare')
    complaints.push(['poll', `"${id}" is a counter: read it at least each minute ("slow")`]);
  if (register.modulus !== undefined && metric.kind !== 'counter')
    complaints.push(['modulus', `"${id}" is no counter and never starts again from zero`]);
  return complaints;
}

function fitsKind(type: Register['type'], metric: Metric): boolean {
  if (isNumeric(metric.kind)) return NUMBERS.has(type);
  return metric.kind === 'state' ? WORDS.has(type) : TEXTS.has(type);
}

function unitComplaints(register: Register, metric: Metric): Complaint[] {
  if (register.unit === undefined)
    return isNumberType(register.type) ? [['unit', `is missing: "${metric.id}" is kept in ${metric.unit}`]] : [];
  const { unit } = DEVICE_UNITS[register.unit as DeviceUnit];
  return unit === metric.unit
    ? []
    : [['unit', `${register.unit} cannot become ${metric.unit}, the unit of "${metric.id}"`]];
}
