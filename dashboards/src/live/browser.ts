// The browser's clock, timers and websocket behind the shapes that the rest is written against.

import type { Clock, Scheduler } from '#domain/clock.js';
import { API_PATH } from './api.js';
import type { SocketFactory } from './link.js';

export const browserClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const browserScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Opens the live channel of the server that this page came from. */
export const connectBrowserSocket: SocketFactory = (events) => {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${API_PATH}/live`);
  let isDone = false;
  const done = (): void => {
    if (isDone) return;
    isDone = true;
    events.closed();
  };
  socket.onopen = () => events.opened();
  socket.onmessage = (event) => events.received(String(event.data));
  socket.onclose = done;
  socket.onerror = done;
  return {
    send: (text) => socket.send(text),
    close() {
      isDone = true;
      socket.close();
    },
  };
};
