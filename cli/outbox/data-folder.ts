// A stopped gateway's data folder: its outbox and its identity, opened for as long as a command needs them.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { failed, type Result } from '#domain/result.js';
import type { GatewayConfig } from '#gateway/config.js';
import { type Identity, openIdentity } from '#gateway/identity.js';
import type { Outbox, OutboxFault } from '#gateway/outbox/outbox.js';
import { faultOf } from '#gateway/outbox/sqlite-faults.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { type CommandFault, fault } from '../command.js';

export interface DataFolder {
  readonly outbox: Outbox;
  readonly identity: Identity;
}

/**
 * Opens outbox and identity for `task` and closes them after it. Nothing is made where nothing is. Faults: `OUTBOX_MISSING`,
 * `OUTBOX_OWNER`, `OUTBOX_LOCKED` and the others of outbox and identity.
 */
export function withDataFolder<T>(
  { dataFolder, outbox: { bytesMax, keepReceiptedMs } }: GatewayConfig,
  task: (opened: DataFolder) => Result<T, CommandFault>,
): Result<T, CommandFault> {
  const file = join(dataFolder, 'outbox.sqlite');
  if (!existsSync(file))
    return fault('OUTBOX_MISSING', `there is no outbox in ${dataFolder}; look at dataFolder in the configuration`);
  return asOwnerOf(file, () => {
    const outbox = openSqliteOutbox({ file, bytesMax, keepReceiptedMs });
    if (!outbox.ok) return failed(explain(outbox.fault, dataFolder));
    try {
      const identity = openIdentity(dataFolder);
      return identity.ok ? task({ outbox: outbox.value, identity: identity.value }) : identity;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return failed(faultOf(error));
    } finally {
      outbox.value.close();
    }
  });
}

function isSqliteError(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code ?? '').startsWith('SQLITE_');
}

function explain({ code, message }: OutboxFault, folder: string): CommandFault {
  if (code !== 'OUTBOX_LOCKED') return { code, message };
  return {
    code,
    message: `the gateway of ${folder} is running; stop it for the seconds that this takes (systemctl stop oftob-gateway). Nothing is lost by it, only the polls of these seconds are not made`,
  };
}

/**
 * What is written beside the outbox must belong to the gateway's user, or the gateway cannot open it any more: root becomes that
 * user for the while, and anybody else is refused.
 */
function asOwnerOf<T>(file: string, task: () => Result<T, CommandFault>): Result<T, CommandFault> {
  const { uid, gid } = statSync(file);
  const { geteuid, getegid, seteuid, setegid } = process;
  const self = geteuid?.();
  if (self === undefined || self === uid) return task();
  if (self !== 0 || getegid === undefined || seteuid === undefined || setegid === undefined)
    return fault('OUTBOX_OWNER', `${file} belongs to user ${uid}; run this as that user, or with sudo`);
  const group = getegid();
  setegid(gid);
  seteuid(uid);
  try {
    return task();
  } finally {
    seteuid(self);
    setegid(group);
  }
}
