import type { AlarmView } from '#contract/view.js';
import { useApp } from '../app.js';
import { alarmGroups } from '../model/alarms.js';
import { AlarmRow } from '../parts/alarm-row.js';

/** All alarms of the fleet, those that wait for a person first. */
export function AlarmsPage() {
  const { live, texts } = useApp();
  const { alarmList: words, app: general } = texts.value;
  if (!live.value.knowsFleet) return <p class="waiting">{general.loading}</p>;
  return (
    <>
      <h1>{words.title}</h1>
      <AlarmGroupsView alarms={live.value.alarms.values()} showPost />
    </>
  );
}

/** `post`: only its alarms. */
export function AlarmGroupsView(props: { alarms: Iterable<AlarmView>; post?: string; showPost: boolean }) {
  const { texts } = useApp();
  const { alarmList: words } = texts.value;
  const groups = alarmGroups(props.alarms, props.post);
  const sections = [
    { title: words.toAcknowledge, alarms: groups.toAcknowledge },
    { title: words.active, alarms: groups.active },
    { title: words.other, alarms: groups.setAside },
  ].filter(({ alarms }) => alarms.length > 0);
  if (sections.length === 0)
    return (
      <p class="calm">
        {words.none} <span class="muted">{words.noneMeaning}</span>
      </p>
    );
  return (
    <>
      {sections.map(({ title, alarms }) => (
        <section key={title}>
          <h2>
            {title} <span class="muted">({alarms.length})</span>
          </h2>
          <ul class="alarms">
            {alarms.map((alarm) => (
              <AlarmRow key={alarm.id} alarm={alarm} showPost={props.showPost} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
