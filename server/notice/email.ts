// Notices by e-mail.
import { createTransport } from 'nodemailer';
import type { EmailConfig } from '../config.js';
import type { NoticeChannel } from '../ports.js';

/** A peer that does not speak is given up after so long; the notice is tried again later. */
const TIMEOUT_MS = 20_000;

/** Sends to all addresses of the configuration in one message. Rejects when the peer cannot be reached or refuses. */
export function createEmailChannel(config: EmailConfig): NoticeChannel {
  const transport = createTransport({
    host: config.host,
    port: config.port,
    secure: config.secure,
    ...(config.username !== undefined && { auth: { user: config.username, pass: config.password ?? '' } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // A notice is text of ours: nothing in it may make the server read a file or fetch a page.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ subject, text }) {
      await transport.sendMail({ from: config.from, to: [...config.to], subject, text });
    },
  };
}
