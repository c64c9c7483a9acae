// Before the tests: the real parts that they start. As root on Debian the missing ones are installed, elsewhere the line to
// run is printed. Needs nothing but Node, so that it can speak before anything else fails.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PARTS = [
  { program: 'influxd', packages: ['influxdb', 'influxdb-client'] },
  { program: 'mosquitto', packages: ['mosquitto', 'mosquitto-clients'] },
  { program: 'chromium', packages: ['chromium'] },
  { program: 'socat', packages: ['socat'] },
  { program: 'mbpoll', packages: ['mbpoll'] },
  { program: 'python3', packages: ['python3'] },
];
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

const missing = PARTS.filter(({ program }) => !FOLDERS.some((folder) => existsSync(`${folder}/${program}`)));
if (missing.length > 0) {
  const packages = missing.flatMap((part) => part.packages);
  const line = `apt-get install --yes ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`Installing what the tests start for real: ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    // --no-install-recommends keeps a desktop's worth of extras away; the daemons are started by the tests, not by Debian.
    const result = spawnSync('apt-get', ['install', '--yes', '-qq', '--no-install-recommends', ...packages], {
      stdio: 'inherit',
      env,
    });
    if (result.status !== 0) {
      console.error(`Could not install them. Run: ${line}`);
      process.exit(1);
    }
  } else {
    console.error(
      `The tests start real servers and a browser. Missing: ${missing.map((part) => part.program).join(', ')}.\nRun: sudo ${line}`,
    );
    process.exit(1);
  }
}
