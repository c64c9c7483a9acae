import { useSignal, useSignalEffect } from '@preact/signals';
import type { PostResponse } from '#contract/http.js';
import type { PostSummary } from '#contract/view.js';
import { formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { LazyHistory } from '../chart/lazy-history.js';
import { fetchPost } from '../live/api.js';
import { alarmGroups } from '../model/alarms.js';
import { deviceValues } from '../model/device-values.js';
import type { PostDetail } from '../model/live-state.js';
import { Age } from '../parts/age.js';
import { AlarmRow } from '../parts/alarm-row.js';
import { SilentMark } from '../parts/badge.js';
import { DeviceSection } from '../parts/device-section.js';
import { FlowDiagram } from '../parts/flow-diagram.js';
import { FlowList } from '../parts/flow-list.js';
import { Lazy } from '../parts/lazy.js';
import { TotalsTable } from '../parts/totals-table.js';

/** The month's totals change slowly and cost the server a reckoning. */
const MONTH_EVERY_MS = 5 * 60_000;

const loadDelivery = () => import('../delivery/delivery.js').then(({ Delivery }) => Delivery);

/** One post: its alarms, energy and water now, totals, charts, delivery, and every value. */
export function PostPage({ post }: { post: string }) {
  const { live, link, texts } = useApp();
  const summary = live.value.posts.get(post);
  const detail = live.value.detail?.post === post ? live.value.detail : null;
  const { problem } = link.value;
  if (summary === undefined) {
    const isUnknown = problem?.code === 'LIVE_POST_UNKNOWN';
    return <p class="waiting">{isUnknown ? texts.value.post.unknownPost : texts.value.app.loading}</p>;
  }
  const zone = detail?.facts?.zone ?? summary.today?.zone ?? 'UTC';
  return (
    <>
      <PostHead summary={summary} detail={detail} zone={zone} />
      <PostAlarms post={post} />
      <section>
        <h2>{texts.value.post.energyAndWater}</h2>
        <div class="now">
          <FlowDiagram flows={summary.flows} />
          <div>
            <FlowList
              flows={summary.flows}
              traces={detail?.traces}
              capacityWh={detail?.facts?.batteryCapacityWh}
              zone={zone}
            />
            <PostTotals summary={summary} />
          </div>
        </div>
      </section>
      {detail !== null && <LazyHistory detail={detail} zone={zone} isBackfilling={summary.backfilling} />}
      {detail !== null && (
        <Lazy load={loadDelivery} props={{ summary, detail, zone }} failed={texts.value.app.problem} />
      )}
      {detail !== null && <Devices detail={detail} zone={zone} />}
    </>
  );
}

function PostAlarms({ post }: { post: string }) {
  const { live, texts } = useApp();
  const { toAcknowledge, active, setAside } = alarmGroups(live.value.alarms.values(), post);
  const alarms = [...toAcknowledge, ...active, ...setAside];
  return (
    <section>
      <h2>{texts.value.post.alarms}</h2>
      {alarms.length === 0 && <p class="muted">{texts.value.post.noAlarms}</p>}
      <ul class="alarms">
        {alarms.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} showPost={false} />
        ))}
      </ul>
    </section>
  );
}

function PostHead({ summary, detail, zone }: { summary: PostSummary; detail: PostDetail | null; zone: string }) {
  const { texts } = useApp();
  const { fleet: words, post, time } = texts.value;
  const altitudeM = detail?.facts?.altitudeM;
  return (
    <div class="post-title">
      <h1>{summary.name}</h1>
      <p class="muted">
        {summary.link === 'online' ? (
          words.online
        ) : (
          <>
            <SilentMark /> {words[summary.link]}
          </>
        )}
        {' · '}
        {words.lastSample} {summary.lastSampleAt === null ? time.never : <Age at={summary.lastSampleAt} zone={zone} />}
        {altitudeM !== undefined && ` · ${post.altitude(formatValue(altitudeM, 'm', texts.value))}`}
        {summary.backfilling && ` · ${words.backfilling}`}
        {!summary.registered && ` · ${words.unregistered}`}
      </p>
    </div>
  );
}

function PostTotals({ summary }: { summary: PostSummary }) {
  const { fetcher, clock } = useApp();
  const answer = useSignal<PostResponse | null>(null);
  const turn = useSignal(-1);
  useSignalEffect(() => {
    const current = Math.floor(clock.value / MONTH_EVERY_MS);
    if (turn.peek() === current) return;
    turn.value = current;
    void fetchPost(fetcher, summary.id).then((result) => {
      if (result.ok) answer.value = result.value;
    });
  });
  return <TotalsTable today={summary.today} month={answer.value?.month ?? null} />;
}

function Devices({ detail, zone }: { detail: PostDetail; zone: string }) {
  const { slowNow, texts } = useApp();
  return (
    <section>
      <h2>{texts.value.post.devices}</h2>
      {deviceValues(detail, slowNow.value).map((values) => (
        <DeviceSection key={values.device.id} values={values} zone={zone} />
      ))}
    </section>
  );
}
