import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';
import { type FleetRow, type FleetView, fleetView, matching } from '../model/fleet.js';
import { Badge, SilentMark } from '../parts/badge.js';
import { FleetHead, FleetRowView } from '../parts/fleet-row.js';

/** A search field earns its place only in a list longer than a screen. */
const SEARCH_FROM = 9;

/** All posts, those that need somebody first. */
export function FleetPage() {
  const { live, texts } = useApp();
  const typed = useSignal('');
  const { posts, alarms, knowsFleet } = live.value;
  const { fleet: words, app: general } = texts.value;
  if (!knowsFleet && posts.size === 0) return <p class="waiting">{general.loading}</p>;
  if (posts.size === 0) return <p class="waiting">{words.empty}</p>;
  const view = fleetView(posts.values(), alarms.values());
  const found = [view.bad, view.silent, view.fine].map((rows) => matching(rows, typed.value));
  return (
    <>
      <h1 class="sr-only">{words.title}</h1>
      <FleetStrip counts={view.counts} />
      {posts.size >= SEARCH_FROM && (
        <input
          class="search"
          type="search"
          aria-label={words.search}
          placeholder={words.search}
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
      )}
      {found.every((rows) => rows.length === 0) && <p class="waiting">{words.noMatch}</p>}
      <FleetHead />
      <FleetSection title={words.attention} rows={found[0] ?? []} />
      <FleetSection title={words.silentPosts} rows={found[1] ?? []} />
      <FleetSection title={words.fine} rows={found[2] ?? []} />
    </>
  );
}

function FleetStrip({ counts }: { counts: FleetView['counts'] }) {
  const { texts } = useApp();
  const { fleet: words } = texts.value;
  return (
    <p class="strip">
      <strong>{words.posts(counts.posts)}</strong>
      {counts.p1 > 0 && (
        <span>
          <Badge priority={1} /> {words.critical(counts.p1)}
        </span>
      )}
      {counts.p2 > 0 && (
        <span>
          <Badge priority={2} /> {words.high(counts.p2)}
        </span>
      )}
      {counts.p3 > 0 && (
        <span>
          <Badge priority={3} /> {words.medium(counts.p3)}
        </span>
      )}
      {counts.silent > 0 && (
        <span>
          <SilentMark /> {words.silent(counts.silent)}
        </span>
      )}
      {counts.unacknowledged > 0 && <a href="#/alarms">{words.toAcknowledge(counts.unacknowledged)}</a>}
    </p>
  );
}

function FleetSection({ title, rows }: { title: string; rows: readonly FleetRow[] }) {
  if (rows.length === 0) return null;
  return (
    <section class="fleet-section">
      <h2>{title}</h2>
      <ul class="posts">
        {rows.map((row) => (
          <FleetRowView key={row.post.id} row={row} />
        ))}
      </ul>
    </section>
  );
}
