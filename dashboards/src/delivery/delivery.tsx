// How a post's data reaches the server: what waits, what was lost, who sends, and what an engineer can ask for.
import type { IdentityView, PostSummary } from '#contract/view.js';
import { deliveryTextsOf } from '#texts/delivery.js';
import { formatAge, formatDuration } from '#texts/format.js';
import { metricName } from '#texts/metric-name.js';
import { useApp } from '../app.js';
import { deliveryOf, outboxLeftMs } from '../model/delivery.js';
import type { ValueRow } from '../model/device-values.js';
import type { PostDetail } from '../model/live-state.js';
import { Reading } from '../parts/reading.js';
import { DeliveryOrders } from './delivery-orders.js';

export interface DeliveryProps {
  readonly summary: PostSummary;
  readonly detail: PostDetail;
  readonly zone: string;
}

export function Delivery({ summary, detail, zone }: DeliveryProps) {
  const { texts, slowNow } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  const rows = deliveryOf(detail, slowNow.value);
  const { identity } = summary;
  return (
    <section class="delivery">
      <h2>{words.title}</h2>
      <p class="muted small">{rows.length === 0 ? words.none : words.meaning}</p>
      {identity !== undefined && <Identity identity={identity} />}
      {rows.length > 0 && <Figures rows={rows} zone={zone} />}
      <DeliveryOrders post={summary.id} subject={summary.name} zone={zone} isDoubted={identity !== undefined} />
    </section>
  );
}

function Figures({ rows, zone }: { rows: readonly ValueRow[]; zone: string }) {
  const { texts } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  const leftMs = outboxLeftMs(rows);
  return (
    <ul class="readings">
      {rows.map(({ metric, judged }) => (
        <li key={metric.id}>
          <Reading label={metricName(metric.metric, texts.value)} judged={judged} unit={metric.unit} zone={zone} />
          {metric.metric === 'gateway.outboxCapacity' && (
            <span class="muted small">
              {leftMs === null ? words.capacityUnknown : words.left(formatDuration(leftMs, texts.value))}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Identity({ identity }: { identity: IdentityView }) {
  const { texts, now } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  return (
    <div class="problem">
      {identity.kinds.map((kind) => (
        <p key={kind}>
          <strong>{words.identity[kind]}</strong>
        </p>
      ))}
      <p class="small">
        {words.since(formatAge(now.value - identity.since, texts.value))} · {words.keys(identity.keys)} ·{' '}
        {words.bothKept}
      </p>
    </div>
  );
}
