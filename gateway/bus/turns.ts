// Who may speak on a line: one call at a time, in the order they came, and never more waiting than somebody will hear.

export interface Turns {
  /** Runs the task when all earlier ones have ended. `undefined` when too many wait already. */
  take<T>(task: () => Promise<T>): Promise<T> | undefined;
  /** Calls that were turned away because too many waited. */
  readonly refused: number;
  /** Resolves when nobody is speaking or waiting. */
  idle(): Promise<void>;
}

/** `waitingMax` bounds the queue; a task that is turned away is counted in `refused`. */
export function createTurns(waitingMax: number): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let refused = 0;
  return {
    take(task) {
      if (waiting >= waitingMax) {
        refused += 1;
        return undefined;
      }
      waiting += 1;
      const turn = last.then(task).finally(() => {
        waiting -= 1;
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    get refused() {
      return refused;
    },
    async idle() {
      await last;
    },
  };
}
