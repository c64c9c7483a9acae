import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import {
  EXPORT_FORMATS,
  EXPORT_LAYOUTS,
  EXPORT_MEDIA_TYPES,
  EXPORT_SEPARATORS,
  type ExportFormat,
  type ExportLayout,
  type ExportSeparator,
} from '#contract/export.js';
import { ErrorSchema } from '#contract/http.js';
import { QuerySchema } from '#contract/query.js';
import { longTable, wideTable } from '../export/raw-table.js';
import type { ExportTable } from '../export/table.js';
import { csvFile, jsonlFile } from '../export/text-files.js';
import { windowTable } from '../export/window-table.js';
import { xlsxFile } from '../export/xlsx-file.js';
import { createZoneTimes } from '../export/zone-time.js';
import type { ApiDeps } from './deps.js';
import { Problem } from './problem.js';
import { factsOf } from './query.js';
import { type QueryFault, type QueryRequest, readQuery, type Words } from './query-request.js';

/** Exports that run at the same time: each keeps a reader of the store busy for minutes. */
const EXPORTS_MAX = 2;

const EXPORT_RESOLUTIONS = ['raw', 'quarter', 'day', 'month', 'year'];

const choice = (values: readonly string[], description: string) =>
  Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...values], description }));
const { posts, metrics, series, from, to } = QuerySchema.properties;
const ExportQuerySchema = Type.Object({
  posts,
  metrics,
  series,
  from,
  to,
  resolution: choice(EXPORT_RESOLUTIONS, '`raw` (default): every point. Others: windows with their coverage'),
  format: choice(EXPORT_FORMATS, '`csv` (default), `jsonl` or `xlsx`'),
  layout: choice(
    EXPORT_LAYOUTS,
    'Of points: `wide` (default of csv and xlsx) has a column for each metric, `long` a row for each value',
  ),
  separator: choice(Object.keys(EXPORT_SEPARATORS), 'Of csv: `comma` (default) or `semicolon`'),
});

const OWN = ['format', 'layout', 'separator'];
const OF_CHARTS = ['points', 'limit', 'cursor'];

/** `GET /export?posts=&metrics=&series=&from=&to=&resolution=&format=&layout=&separator=` */
export async function exportRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  let running = 0;
  app.get<{ Querystring: Words }>(
    '/export',
    {
      schema: {
        summary: 'Any selection of points or windows as a file',
        description:
          'The file comes while it is made. Its last line says how many rows there are, and the SHA-256 of all bytes before it: a ' +
          'file without it was cut off. `oftob export --check FILE` looks.',
        querystring: ExportQuerySchema,
        produces: Object.values(EXPORT_MEDIA_TYPES),
        response: { '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
      // The request is read here, so that all its faults are told at once.
      validatorCompiler: () => (value) => ({ value }),
    },
    async (request, reply) => {
      const { faults, ...chosen } = chooseFile(request.query);
      const query = await readQuery(withoutOwn(request.query), factsOf(deps), faults);
      if (running >= EXPORTS_MAX) {
        deps.count('apiExportsBusy');
        throw new Problem(429, 'EXPORT_BUSY', `${EXPORTS_MAX} exports are running; try again when one is done`);
      }
      running += 1;
      const file = Readable.from(fileOf(tableOf(deps, query, chosen.layout), chosen, query), { objectMode: false });
      file.once('close', () => {
        running -= 1;
      });
      file.once('error', (error) => deps.log.warn({ code: 'EXPORT_BROKEN' }, `an export broke off: ${error.message}`));
      deps.count('apiExports');
      return reply
        .type(EXPORT_MEDIA_TYPES[chosen.format])
        .header('content-disposition', `attachment; filename="${nameOf(deps, query, chosen.format)}"`)
        .header('cache-control', 'no-store')
        .send(file);
    },
  );
}

interface Chosen {
  readonly format: ExportFormat;
  readonly layout: ExportLayout;
  readonly separator: ExportSeparator;
}

/** What cannot be chosen is a fault, and the preset stands in for it. */
function chooseFile(words: Words): Chosen & { readonly faults: readonly QueryFault[] } {
  const faults: QueryFault[] = [];
  const pick = <T extends string>(name: string, known: readonly T[], preset: T): T => {
    const found = known.find((one) => one === (words[name] ?? preset));
    if (found === undefined)
      faults.push({ code: 'API_INVALID', path: `/${name}`, message: `must be one of ${known.join(', ')}` });
    return found ?? preset;
  };
  for (const name of OF_CHARTS)
    if (words[name] !== undefined)
      faults.push({ code: 'API_INVALID', path: `/${name}`, message: 'is not for exports, which hold all there is' });
  if (words.resolution === 'auto') pick('resolution', EXPORT_RESOLUTIONS, 'raw');
  const format = pick('format', EXPORT_FORMATS, 'csv');
  const layout = pick('layout', EXPORT_LAYOUTS, format === 'jsonl' ? 'long' : 'wide');
  const separator = pick('separator', Object.keys(EXPORT_SEPARATORS) as ExportSeparator[], 'comma');
  return { format, layout, separator, faults };
}

function withoutOwn(words: Words): Words {
  const own: readonly string[] = [...OWN, ...OF_CHARTS];
  const rest = Object.fromEntries(Object.entries(words).filter(([name]) => !own.includes(name)));
  return { ...rest, resolution: rest.resolution === 'auto' ? 'raw' : (rest.resolution ?? 'raw') };
}

function tableOf(deps: ApiDeps, { from, resolution, series, to }: QueryRequest, layout: ExportLayout): ExportTable {
  const zoneOf = (post: string): string => deps.posts.find(({ id }) => id === post)?.zone ?? 'UTC';
  const question = { series, range: { from, to: Math.min(to, deps.clock.now()) }, zoneOf };
  if (resolution !== 'raw' && resolution !== 'auto')
    return windowTable(deps.windows, { ...question, span: resolution });
  return layout === 'wide' ? wideTable(deps.store, question) : longTable(deps.store, question);
}

function fileOf(table: ExportTable, { format, separator }: Chosen, query: QueryRequest): AsyncIterable<Uint8Array> {
  if (format === 'csv') return csvFile(table, separator);
  if (format === 'jsonl') return jsonlFile(table);
  const { iso } = createZoneTimes('UTC');
  return xlsxFile(table, { from: iso(query.from), to: iso(query.to), resolution: query.resolution });
}

function nameOf({ fleet, posts }: ApiDeps, { from, series, to }: QueryRequest, format: ExportFormat): string {
  const names = new Set(series.map(({ post }) => post));
  const [first = fleet] = names;
  const { iso } = createZoneTimes(posts.find(({ id }) => id === first)?.zone ?? 'UTC');
  const day = (at: number): string => iso(at).slice(0, 10);
  return `${fleet}-${names.size === 1 ? `${first}-` : ''}${day(from)}-${day(to - 1)}.${format}`;
}
