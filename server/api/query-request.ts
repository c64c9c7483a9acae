// A question for the store as it stands in an address: read whole, so that all that is wrong with it is told at once.
import {
  QUERY_PAGE_DEFAULT,
  QUERY_PAGE_MAX,
  QUERY_POINTS_DEFAULT,
  QUERY_POINTS_MAX,
  QUERY_SERIES_MAX,
  RESOLUTIONS,
  type Resolution,
} from '#contract/query.js';
import type { Birth } from '#contract/session.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { type MetricKind, metricOf } from '#domain/metric.js';
import type { Unit } from '#domain/quantity.js';
import type { SeriesName } from '../ports.js';
import { Problem } from './problem.js';
import { parseTime } from './query-time.js';

export interface KnownSeries extends SeriesName {
  readonly kind: MetricKind;
  readonly unit?: Unit;
}

export interface QueryRequest {
  readonly series: readonly KnownSeries[];
  readonly from: number;
  readonly to: number;
  readonly points: number;
  readonly resolution: Resolution;
  readonly limit: number;
  readonly cursor: number | undefined;
}

/** What the server knows. */
export interface QueryFacts {
  readonly now: number;
  readonly posts: readonly string[];
  readonly birthOf: (post: string) => Birth | undefined;
  /** True where a device that its post no longer has left data. */
  readonly hasData: (series: SeriesName) => Promise<boolean>;
}

type Code =
  | 'API_INVALID'
  | 'API_TIME'
  | 'API_RANGE'
  | 'API_POST_UNKNOWN'
  | 'API_METRIC_UNKNOWN'
  | 'API_SERIES_TOO_MANY';
export interface QueryFault {
  readonly code: Code;
  readonly path: string;
  readonly message: string;
}

/** Texts of an address by their names; a name that stands twice has a list. */
export type Words = Readonly<Record<string, string | readonly string[] | undefined>>;

const KNOWN = ['posts', 'metrics', 'series', 'from', 'to', 'points', 'resolution', 'limit', 'cursor'];

/**
 * Throws a Problem with every fault and its path.
 * @param found what is wrong besides, with words that the caller has read
 */
export async function readQuery(
  words: Words,
  facts: QueryFacts,
  found: readonly QueryFault[] = [],
): Promise<QueryRequest> {
  const faults = [...found];
  const tell = (code: Code, path: string, message: string): void => void faults.push({ code, path, message });
  for (const name of Object.keys(words))
    if (!KNOWN.includes(name)) tell('API_INVALID', `/${name}`, `is not known; known are ${KNOWN.join(', ')}`);
  const one = (name: string): string | undefined => {
    const word = words[name];
    if (typeof word === 'string' || word === undefined) return word;
    tell('API_INVALID', `/${name}`, 'stands more than once');
    return word[0];
  };
  const [from, to] = ['from', 'to'].map((name) => readTime(name, one(name), facts.now, tell));
  if (from !== undefined && to !== undefined && to <= from)
    tell('API_RANGE', '/to', 'must be later than "from"; swap them');
  if (from !== undefined && from >= facts.now) tell('API_RANGE', '/from', 'lies in the future, where nothing is known');
  const resolution = one('resolution') ?? 'auto';
  const isKnown = (RESOLUTIONS as readonly string[]).includes(resolution);
  if (!isKnown) tell('API_INVALID', '/resolution', `must be one of ${RESOLUTIONS.join(', ')}`);
  const isRaw = resolution === 'raw';
  const points = readCount('points', one('points'), [2, QUERY_POINTS_MAX], tell);
  const limit = readCount('limit', one('limit'), [1, QUERY_PAGE_MAX], tell);
  const cursor = readCursor(one('cursor'), { from, to }, tell);
  for (const name of ['limit', 'cursor'])
    if (words[name] !== undefined && isKnown && !isRaw)
      tell('API_INVALID', `/${name}`, 'is for pages of points; ask with resolution=raw');
  const series = await readSeries(words, one, facts, tell);
  if (faults.length > 0 || from === undefined || to === undefined) throw problemOf(faults);
  return {
    series,
    from,
    to,
    points: points ?? QUERY_POINTS_DEFAULT,
    resolution: resolution as Resolution,
    limit: limit ?? QUERY_PAGE_DEFAULT,
    cursor,
  };
}

type Tell = (code: Code, path: string, message: string) => void;

function readTime(name: string, word: string | undefined, now: number, tell: Tell): number | undefined {
  if (word === undefined) {
    tell('API_INVALID', `/${name}`, 'is missing');
    return undefined;
  }
  const at = parseTime(word, now);
  if (typeof at === 'number') return at;
  tell('API_TIME', `/${name}`, at);
  return undefined;
}

function readCount(
  name: string,
  word: string | undefined,
  [least, most]: readonly [number, number],
  tell: Tell,
): number | undefined {
  if (word === undefined) return undefined;
  const count = /^\d{1,9}$/.test(word) ? Number(word) : Number.NaN;
  if (count >= least && count <= most) return count;
  tell('API_INVALID', `/${name}`, `must be a whole number from ${least} to ${most}`);
  return undefined;
}

function readCursor(
  word: string | undefined,
  { from, to }: { from: number | undefined; to: number | undefined },
  tell: Tell,
): number | undefined {
  if (word === undefined) return undefined;
  const at = /^\d{1,15}$/.test(word) ? Number(word) : Number.NaN;
  if (at >= (from ?? 0) && at < (to ?? Number.POSITIVE_INFINITY)) return at;
  tell('API_INVALID', '/cursor', 'must be "next" of the page before, with the same "from" and "to"');
  return undefined;
}

async function readSeries(
  words: Words,
  one: (name: string) => string | undefined,
  facts: QueryFacts,
  tell: Tell,
): Promise<KnownSeries[]> {
  const named = namesOf(words, one, facts, tell);
  if (named.size > QUERY_SERIES_MAX) {
    tell(
      'API_SERIES_TOO_MANY',
      '/series',
      `${named.size} series asked for; at most ${QUERY_SERIES_MAX} in one request`,
    );
    return [];
  }
  const found: KnownSeries[] = [];
  const nowhere = new Map<string, string>();
  const somewhere = new Set<string>();
  for (const { isOptional, name, path } of named.values()) {
    if (!facts.posts.includes(name.post)) {
      tell('API_POST_UNKNOWN', path, `there is no post "${name.post}"; GET /fleet lists them`);
      continue;
    }
    const known = await describe(name, facts);
    if (known !== undefined) found.push(known);
    if (isOptional && known !== undefined) somewhere.add(path);
    else if (isOptional) nowhere.set(path, `${name.device}/${name.metric}`);
    else if (known === undefined) {
      const what = `post "${name.post}" has no "${name.device}/${name.metric}"`;
      tell('API_METRIC_UNKNOWN', path, `${what}; GET /posts/${name.post} lists its metrics`);
    }
  }
  for (const [path, metric] of nowhere)
    if (!somewhere.has(path))
      tell('API_METRIC_UNKNOWN', path, `no post has "${metric}"; GET /posts/:post lists the metrics of one`);
  return found;
}

interface Named {
  readonly name: SeriesName;
  readonly path: string;
  /** Asked for of every post that has it. */
  readonly isOptional: boolean;
}

/** Every series that is asked for, once. */
function namesOf(
  words: Words,
  one: (name: string) => string | undefined,
  facts: QueryFacts,
  tell: Tell,
): Map<string, Named> {
  const named = new Map<string, Named>();
  const add = (name: SeriesName, path: string, isOptional: boolean): void => {
    const key = `${name.post}/${name.device}/${name.metric}`;
    if (!named.has(key)) named.set(key, { name, path, isOptional });
  };
  const listed = words.series ?? [];
  for (const [index, word] of (typeof listed === 'string' ? [listed] : listed).entries()) {
    const name = splitName(word, 3);
    if (name !== undefined) add(name, `/series/${index}`, false);
    else tell('API_INVALID', `/series/${index}`, 'is not post/device/metric, as in kyzyl-art/meter-1/load.power');
  }
  const [posts, metrics] = [listOf(one('posts')), listOf(one('metrics'))];
  if (posts === undefined && metrics === undefined && words.series === undefined)
    tell('API_INVALID', '/series', 'is missing; give series=post/device/metric, or posts=… with metrics=device/metric');
  if ((posts === undefined) !== (metrics === undefined))
    tell('API_INVALID', posts === undefined ? '/posts' : '/metrics', 'is missing; the two belong together');
  const isAll = posts?.includes('*') === true;
  const all = named.size + (metrics ?? []).length * (isAll ? facts.posts : (posts ?? [])).length;
  if (all > QUERY_SERIES_MAX) {
    tell(
      'API_SERIES_TOO_MANY',
      '/series',
      `${all} asked for; at most ${QUERY_SERIES_MAX} in one request, so ask in parts`,
    );
    return new Map();
  }
  for (const [place, post] of (isAll ? facts.posts : (posts ?? [])).entries())
    for (const [index, metric] of (metrics ?? []).entries()) {
      const name = splitName(metric, 2);
      const path = facts.posts.includes(post) ? `/metrics/${index}` : `/posts/${place}`;
      if (name !== undefined) add({ ...name, post }, path, isAll);
      else if (place === 0) tell('API_INVALID', `/metrics/${index}`, 'is not device/metric, as in meter-1/load.power');
    }
  return named;
}

function listOf(word: string | undefined): string[] | undefined {
  return word === undefined ? undefined : [...new Set(word.split(',').map((part) => part.trim()))];
}

const IDENTIFIER = new RegExp(IDENTIFIER_PATTERN);

function splitName(word: string, parts: 2 | 3): SeriesName | undefined {
  const names = word.split('/');
  if (names.length !== parts) return undefined;
  const [metric = '', device = '', post = ''] = names.toReversed();
  if (!IDENTIFIER.test(device) || metric.length === 0 || metric.length > 80) return undefined;
  return parts === 3 && !IDENTIFIER.test(post) ? undefined : { post, device, metric };
}

async function describe(name: SeriesName, facts: QueryFacts): Promise<KnownSeries | undefined> {
  const told = facts
    .birthOf(name.post)
    ?.metrics.find(({ device, metric }) => device === name.device && metric === name.metric);
  const known = told ?? metricOf(name.metric);
  if (known === undefined) return undefined;
  if (told === undefined && !(await facts.hasData(name))) return undefined;
  return { ...name, kind: known.kind, ...(known.unit !== undefined && { unit: known.unit }) };
}

const UNKNOWN: readonly Code[] = ['API_POST_UNKNOWN', 'API_METRIC_UNKNOWN'];
const FAULTS_MAX = 50;

function problemOf(faults: readonly QueryFault[]): Problem {
  // A fault that stands once for each metric is told once.
  const once = [...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()];
  const [first] = once;
  const status = once.every(({ code }) => UNKNOWN.includes(code)) ? 404 : 400;
  const more = once.length > 1 ? `; ${once.length} faults in all, see "faults"` : '';
  const name = first?.path.slice(1) ?? '';
  return new Problem(
    status,
    first?.code ?? 'API_INVALID',
    first === undefined ? 'wrong request' : `${name}: ${first.message}${more}`,
    once.slice(0, FAULTS_MAX).map(({ message, path }) => ({ path, message })),
  );
}
