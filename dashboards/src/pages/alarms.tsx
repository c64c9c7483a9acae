import type { AlarmView } from '#contract/view.js';
import { useApp } from '../app.js';
import { alarmGroups } from '../model/alarms.js';
import { AlarmRow } from '../parts/alarm-row.js';

/** All alarms of the fleet, those that wait for a person first. */
export function AlarmsPage() {
  const { live, texts } = useApp();
  const { alarmList: words, app: general } = texts.value;
  if (!live.value.knowsFleet) return <p class="waiting">{general.loading}</p>;
  const { toAcknowledge, active, setAside } = alarmGroups(live.value.alarms.values());
  const isCalm = toAcknowledge.length + active.length + setAside.length === 0;
  return (
    <>
      <h1>{words.title}</h1>
      {isCalm && (
        <p class="calm">
          {words.none} <span class="muted">{words.noneMeaning}</span>
        </p>
      )}
      <AlarmSection title={words.toAcknowledge} alarms={toAcknowledge} />
      <AlarmSection title={words.active} alarms={active} />
      <AlarmSection title={words.other} alarms={setAside} />
    </>
  );
}

function AlarmSection({ title, alarms }: { title: string; alarms: readonly AlarmView[] }) {
  if (alarms.length === 0) return null;
  return (
    <section>
      <h2>
        {title} <span class="muted">({alarms.length})</span>
      </h2>
      <ul class="alarms">
        {alarms.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} showPost />
        ))}
      </ul>
    </section>
  );
}
