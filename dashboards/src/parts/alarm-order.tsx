// A person takes an alarm on, or lets go of a latched one.
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { AlarmView } from '#contract/view.js';
import { useApp } from '../app.js';
import { type AlarmOrder, sendAlarmOrder } from '../live/api.js';
import { orderFor } from '../model/alarms.js';
import { PersonOrder, useDialog } from './person-order.js';

/** The button of the order that makes sense now, with its dialog; nothing where none does. `subject` names post and alarm. */
export function AlarmOrderButton({ alarm, subject }: { alarm: AlarmView; subject: string }) {
  const { texts } = useApp();
  const dialog = useDialog();
  // The order of the moment when the dialog was opened: an alarm that ends meanwhile must not change the question.
  const asked = useSignal<AlarmOrder | null>(null);
  const order = orderFor(alarm);
  const shown = asked.value ?? order;
  if (shown === null) return null;

  const close = (): void => {
    asked.value = null;
    dialog.close();
  };
  const open = (): void => {
    asked.value = order;
    dialog.open();
  };
  return (
    <>
      {order !== null && (
        <button type="button" class="primary" onClick={open}>
          {texts.value.alarmList[order]}
          <span class="sr-only"> – {subject}</span>
        </button>
      )}
      <dialog ref={dialog.ref} onClose={close} aria-label={subject}>
        {asked.value !== null && <OrderForm alarm={alarm} order={shown} subject={subject} onDone={close} />}
      </dialog>
    </>
  );
}

interface OrderFormProps {
  readonly alarm: AlarmView;
  readonly order: AlarmOrder;
  readonly subject: string;
  readonly onDone: () => void;
}

function OrderForm({ alarm, order, subject, onDone }: OrderFormProps) {
  const { texts, fetcher, takeAlarm } = useApp();
  const { alarmList: words } = texts.value;
  const comment = useSignal('');
  const isAcknowledge = order === 'acknowledge';
  return (
    <PersonOrder
      title={isAcknowledge ? words.dialogTitle : words.resetTitle}
      subject={subject}
      meaning={isAcknowledge ? words.dialogMeaning : words.resetMeaning}
      submit={words[order]}
      nameHint={words.nameHint}
      send={(by) => {
        const note = comment.value.trim();
        return sendAlarmOrder(fetcher, order, { alarm: alarm.id, by, ...(note !== '' && { comment: note }) });
      }}
      onSent={(answer) => {
        takeAlarm(answer.alarm);
        onDone();
      }}
      onCancel={onDone}
    >
      <Comment comment={comment} />
    </PersonOrder>
  );
}

function Comment({ comment }: { comment: { value: string } }) {
  const { texts } = useApp();
  const id = useId();
  return (
    <>
      <label for={id}>{texts.value.alarmList.comment}</label>
      <textarea
        id={id}
        name="comment"
        rows={2}
        maxLength={500}
        value={comment.value}
        onInput={(event) => {
          comment.value = event.currentTarget.value;
        }}
      />
    </>
  );
}
