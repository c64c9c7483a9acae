// One alarm: what, where, since when, against which limit, and the one thing that can be done here.
import type { AlarmView } from '#contract/view.js';
import { alarmText } from '#texts/alarm-rules.js';
import { formatAge, formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { isOver, isSetAside, isUnacknowledged } from '../model/alarms.js';
import { hashOf } from '../model/route.js';
import { Age } from './age.js';
import { AlarmOrderButton } from './alarm-order.js';
import { Badge } from './badge.js';

/** The rule's title in the reader's language; a rule without words keeps its id. */
export function useAlarmTitle(): (alarm: AlarmView) => string {
  const { texts } = useApp();
  return (alarm) => alarmText(texts.value.alarms, alarm.rule)?.title ?? alarm.rule;
}

export function AlarmRow({ alarm, showPost }: { alarm: AlarmView; showPost: boolean }) {
  const { texts, live } = useApp();
  const title = useAlarmTitle()(alarm);
  const post = live.value.posts.get(alarm.post);
  return (
    <li class={`alarm p${alarm.priority}${isOver(alarm) ? ' over' : ''}`}>
      <Badge priority={alarm.priority} isWaiting={isUnacknowledged(alarm)} isSetAside={isSetAside(alarm)} />
      <div class="alarm-what">
        <h3>{title}</h3>
        <p class="alarm-where">
          {showPost && <a href={hashOf({ page: 'post', post: alarm.post })}>{post?.name ?? alarm.post}</a>}
          {alarm.device !== null && <span>{alarm.device}</span>}
          <span>{texts.value.alarmStates[alarm.state]}</span>
          {alarm.condition === 'unknown' && <span>{texts.value.conditionUnknown}</span>}
        </p>
        <AlarmFacts alarm={alarm} />
        <AlarmHelp alarm={alarm} />
      </div>
      <AlarmOrderButton alarm={alarm} subject={`${post?.name ?? alarm.post}: ${title}`} />
    </li>
  );
}

function AlarmFacts({ alarm }: { alarm: AlarmView }) {
  const { texts, now } = useApp();
  const { alarmList: words } = texts.value;
  const { value, limit, unit, since, count, acknowledgedBy, acknowledgedAt, comment } = alarm;
  return (
    <p class="alarm-facts">
      {since !== null && (
        <span>
          {words.sinceLabel} <Age at={since} />
        </span>
      )}
      {value !== null && (
        <span>
          {limit === null
            ? (alarmText(texts.value.alarms, alarm.rule)?.counted ?? String)(
                formatValue(value, unit ?? undefined, texts.value),
              )
            : words.valueOfLimit(
                formatValue(value, unit ?? undefined, texts.value),
                formatValue(limit, unit ?? undefined, texts.value),
              )}
        </span>
      )}
      {isOver(alarm) && alarm.returnedAt !== null && (
        <span>{words.over(formatAge(now.value - alarm.returnedAt, texts.value))}</span>
      )}
      {count > 1 && <span>{words.times(count)}</span>}
      {acknowledgedBy !== null && acknowledgedAt !== null && !isUnacknowledged(alarm) && (
        <span>{words.acknowledgedBy(acknowledgedBy, formatAge(now.value - acknowledgedAt, texts.value))}</span>
      )}
      {comment !== null && comment !== '' && !isUnacknowledged(alarm) && <q>{comment}</q>}
    </p>
  );
}

function AlarmHelp({ alarm }: { alarm: AlarmView }) {
  const { texts } = useApp();
  const { alarmList: words } = texts.value;
  const help = alarmText(texts.value.alarms, alarm.rule);
  return (
    <details class="alarm-help" open={isUnacknowledged(alarm) && alarm.priority === 1}>
      <summary>{words.details}</summary>
      {help === undefined ? (
        <p>{words.noText}</p>
      ) : (
        <dl>
          <dt>{words.seen}</dt>
          <dd>{help.meaning}</dd>
          <dt>{words.doFirst}</dt>
          <dd>{help.action}</dd>
        </dl>
      )}
    </details>
  );
}
