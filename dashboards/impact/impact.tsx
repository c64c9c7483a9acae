import type { ComponentChildren } from 'preact';
import type { FleetResponse } from '#contract/http.js';
import type { PostSummary, Total, Totals } from '#contract/view.js';
import type { TotalName } from '#domain/flow.js';
import type { Texts } from '#texts/en.js';
import { formatDate, formatDateTime, formatMonth, formatShare, formatValue } from '#texts/format.js';
import { LANGUAGES } from '#texts/language.js';
import { IMPACT_STYLE } from './impact-style.js';

const NAMES = { en: 'English', ru: 'Русский', tg: 'Тоҷикӣ' } as const;
/** What people ask for first. */
const BIG: readonly TotalName[] = ['pvEnergy', 'loadEnergy', 'waterVolume'];
const ORDER: readonly TotalName[] = [
  'pvEnergy',
  'loadEnergy',
  'gensetEnergy',
  'gridImportEnergy',
  'pumpEnergy',
  'waterVolume',
];

interface Props {
  readonly data: FleetResponse;
  readonly texts: Texts;
}

export function Impact({ data, texts }: Props) {
  const { impact: words } = texts;
  const { zone } = data.month;
  return (
    <html lang={texts.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{`${words.title} · Oftob`}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <style>{IMPACT_STYLE}</style>
      </head>
      <body>
        <main>
          <Languages texts={texts} />
          <h1>{words.title}</h1>
          <p>{words.intro(texts.fleet.posts(data.posts.length))}</p>
          <p class="muted">
            {words.asOf(formatDateTime(data.now, zone, texts))} ({zone}). {words.unfinished}
          </p>
          {data.posts.length === 0 ? <p>{words.noPosts}</p> : <Figures data={data} texts={texts} />}
          <h2>{words.method}</h2>
          <p>{words.counterMeaning}</p>
          <p>{words.coverageMeaning}</p>
          <p>{words.noCo2}</p>
        </main>
      </body>
    </html>
  );
}

function Languages({ texts }: { texts: Texts }) {
  return (
    <nav aria-label={texts.app.language}>
      {LANGUAGES.map((language) => (
        <a
          key={language}
          href={`/impact?lang=${language}`}
          lang={language}
          {...(language === texts.language && { 'aria-current': 'page' as const })}
        >
          {NAMES[language]}
        </a>
      ))}
      <a href="/">{texts.impact.dashboards}</a>
    </nav>
  );
}

function Figures({ data, texts }: Props) {
  const { impact: words } = texts;
  return (
    <>
      <h2>
        {words.month}: {formatMonth(data.month.from, data.month.zone, texts)}
      </h2>
      <ul class="big">
        {BIG.map((name) => (
          <BigFigure key={name} name={name} total={data.month.totals[name]} texts={texts} />
        ))}
      </ul>
      <h2>{words.fleet}</h2>
      <FleetTable data={data} texts={texts} />
      <h2>
        {words.perPost}: {words.today}
      </h2>
      <PostTable posts={data.posts} texts={texts} />
    </>
  );
}

/** Beside every figure: how much was measured, and how it was made. */
function Honest({ total, texts }: { total: Total; texts: Texts }) {
  return (
    <small>
      {texts.post.coverage(formatShare(total.coverage, texts))}; {texts.impact.counter}
    </small>
  );
}

function BigFigure({ name, total, texts }: { name: TotalName; total: Total | undefined; texts: Texts }) {
  return (
    <li>
      {texts.totals[name]}
      {total === undefined ? (
        <small>{texts.impact.notMeasured}</small>
      ) : (
        <>
          <strong>{total.value === null ? texts.impact.unknown : formatValue(total.value, total.unit, texts)}</strong>
          <Honest total={total} texts={texts} />
        </>
      )}
    </li>
  );
}

function TotalCell({ total, texts }: { total: Total | undefined; texts: Texts }) {
  if (total === undefined)
    return (
      <td>
        {texts.app.none}
        <small>{texts.impact.notMeasured}</small>
      </td>
    );
  return (
    <td>
      <strong>{formatValue(total.value, total.unit, texts)}</strong>
      {total.value === null && <small>{texts.impact.unknown}</small>}
      <Honest total={total} texts={texts} />
    </td>
  );
}

function known(totals: readonly (Totals | null)[]): TotalName[] {
  return ORDER.filter((name) => totals.some((one) => one?.totals[name] !== undefined));
}

/** A table that may be wider than a phone, and then scrolls, by keyboard too. */
function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

function FleetTable({ data, texts }: Props) {
  const { impact: words } = texts;
  const { today, month } = data;
  return (
    <Scroll label={words.fleet}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.figure}</th>
            <th scope="col">
              {words.today}, {words.since(formatDate(today.from, today.zone, texts))}
            </th>
            <th scope="col">
              {words.month}, {words.since(formatDate(month.from, month.zone, texts))}
            </th>
          </tr>
        </thead>
        <tbody>
          {known([today, month]).map((name) => (
            <tr key={name}>
              <th scope="row">{texts.totals[name]}</th>
              <TotalCell total={today.totals[name]} texts={texts} />
              <TotalCell total={month.totals[name]} texts={texts} />
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function PostTable({ posts, texts }: { posts: readonly PostSummary[]; texts: Texts }) {
  const names = known(posts.map((post) => post.today)).filter((name) => BIG.includes(name));
  const sorted = [...posts].sort((one, other) => (one.id < other.id ? -1 : 1));
  return (
    <Scroll label={texts.impact.perPost}>
      <table>
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th scope="col" key={name}>
                {texts.totals[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((post) => (
            <tr key={post.id}>
              <th scope="row">{post.id}</th>
              {names.map((name) => (
                <TotalCell key={name} total={post.today?.totals[name]} texts={texts} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
