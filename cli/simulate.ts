// `oftob simulate`: a scenario's posts as Modbus devices of this machine, as fast as time goes or faster.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failed, ok, type Result } from '#domain/result.js';
import { loadCatalog } from '#profiles/catalog.js';
import { parseRecording, type Recording } from '#simulators/device/recording.js';
import {
  checkDevices,
  listScenarios,
  loadScenario,
  parseScenario,
  SCENARIOS_FOLDER,
  type Scenario,
  type ScenarioFault,
  TIME_PATTERN,
} from '#simulators/scenarios/scenario.js';
import { WIRES, type Wire, type WireKind } from '#simulators/serve/serve-bus.js';
import { createSimulation, type Simulation } from '#simulators/simulation.js';
import { type Command, type CommandFault, done, fault, integerOf, type Options, textOf } from './command.js';
import { repeat, systemClock, systemScheduler, untilSignal } from './system.js';

/** A day takes nine seconds. */
const SPEED_MAX = 10_000;

const TIME = new RegExp(TIME_PATTERN);

/** The world moves on in steps of this. */
export const WORLD_STEP_MS = 1000;

export const simulate: Command = {
  name: 'simulate',
  summary: 'Serves simulated posts as Modbus devices of this machine.',
  usage: '--scenario NAME | --config FILE | --list',
  options: [
    { name: 'scenario', value: 'NAME', meaning: 'a scenario that comes with the product' },
    { name: 'config', value: 'FILE', meaning: 'a scenario of your own (JSON)' },
    { name: 'list', meaning: 'list the scenarios' },
    {
      name: 'port',
      value: 'N',
      meaning: 'port of the first bus, the others follow; 0 takes free ones',
      preset: '1502',
    },
    {
      name: 'as',
      value: WIRES.join('|'),
      meaning: 'the wire: Modbus TCP, serial lines (pseudo-terminals, with socat), or RTU frames over TCP',
      preset: 'tcp',
    },
    {
      name: 'from',
      value: 'TIME',
      meaning: "when the world begins, as in 2026-01-15T06:00:00Z (default: the scenario's own, or now)",
    },
    { name: 'speed', value: 'N', meaning: `so many times as fast as time goes, 1 to ${SPEED_MAX}`, preset: '1' },
    { name: 'seed', value: 'N', meaning: "another course of things than the scenario's own" },
    { name: 'patient', meaning: 'devices answer however soon they are asked, without the pauses that real ones need' },
    { name: 'truth', value: 'FILE', meaning: 'write what is wrong, where, from when to when, as JSON lines' },
  ],
  example: 'oftob simulate --scenario clear-day --port 1502',
  async run(options) {
    if (options.list === true) {
      const scenarios = listScenarios();
      const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
      process.stdout.write(scenarios.map(({ name, summary }) => `${name.padEnd(width)}${summary}\n`).join(''));
      return done;
    }
    const firstPort = integerOf(options, 'port', 0, 65535);
    if (!firstPort.ok) return firstPort;
    const scenario = chooseScenario(options);
    if (!scenario.ok) return scenario;
    const course = courseOf(options, scenario.value);
    if (!course.ok) return course;
    const { seed, startAt } = course.value;
    const { profiles } = loadCatalog();
    const recordings = readRecordings(scenario.value, textOf(options, 'config'));
    if (!recordings.ok) return recordings;
    const simulation = createSimulation(scenario.value, {
      startAt,
      catalog: profiles,
      recordings: recordings.value,
      ...(seed !== undefined && { seed }),
    });
    const told = writeTruth(simulation, textOf(options, 'truth'));
    return told.ok ? runSimulation(simulation, firstPort.value ?? 0, course.value) : told;
  },
};

/** Most bytes of one recording. */
const RECORDING_BYTES_MAX = 200_000_000;

/** Recordings lie beside the scenario's file. */
function readRecordings(
  scenario: Scenario,
  file: string | undefined,
): Result<ReadonlyMap<string, Recording>, CommandFault> {
  const recordings = new Map<string, Recording>();
  const names = scenario.posts.flatMap(({ devices }) => devices.flatMap(({ recording }) => recording ?? []));
  for (const name of new Set(names)) {
    const path = join(file === undefined ? SCENARIOS_FOLDER : dirname(file), name);
    const read = readText(path);
    if (!read.ok) return read;
    const parsed = parseRecording(read.value);
    if (!parsed.ok) return failed(describeFaults('SIMULATION_RECORDING', path, parsed.fault));
    recordings.set(name, parsed.value);
  }
  return ok(recordings);
}

function readText(path: string): Result<string, CommandFault> {
  try {
    if (statSync(path).size > RECORDING_BYTES_MAX)
      return fault('SIMULATION_RECORDING', `${path} is larger than ${RECORDING_BYTES_MAX / 1e6} MB`);
    return ok(readFileSync(path, 'utf8'));
  } catch (error) {
    return fault('SIMULATION_RECORDING', `cannot read ${path}: ${(error as Error).message}`);
  }
}

function wireOf(kind: WireKind, port: number): Wire {
  return kind === 'rtu' ? { kind } : { kind, host: '127.0.0.1', port };
}

interface Course {
  /** Epoch ms at which the world begins. */
  readonly startAt: number;
  readonly speed: number;
  readonly seed: number | undefined;
  readonly wire: WireKind;
  readonly needsPauses: boolean;
}

function courseOf(options: Options, scenario: Scenario): Result<Course, CommandFault> {
  const speed = integerOf(options, 'speed', 1, SPEED_MAX);
  if (!speed.ok) return speed;
  const seed = integerOf(options, 'seed', 0, 4_294_967_295);
  if (!seed.ok) return seed;
  const wire = WIRES.find((one) => one === (textOf(options, 'as') ?? 'tcp'));
  if (wire === undefined) return fault('USAGE', `--as must be one of: ${WIRES.join(', ')}`);
  const from = textOf(options, 'from') ?? scenario.from;
  const startAt = from === undefined ? systemClock.now() : Date.parse(from);
  if (!Number.isFinite(startAt) || (from !== undefined && !TIME.test(from)))
    return fault('USAGE', `--from must be a time with its zone, as in 2026-01-15T06:00:00Z, not "${from}"`);
  return ok({ startAt, speed: speed.value ?? 1, seed: seed.value, wire, needsPauses: options.patient !== true });
}

function writeTruth(simulation: Simulation, file: string | undefined): Result<undefined, CommandFault> {
  if (file === undefined) return done;
  const lines = [...simulation.posts.values()].flatMap((post) => post.truth()).map((truth) => JSON.stringify(truth));
  try {
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return done;
  } catch (error) {
    return fault('USAGE', `cannot write ${file}: ${(error as Error).message}`);
  }
}

function chooseScenario(options: Options): Result<Scenario, CommandFault> {
  const name = textOf(options, 'scenario');
  const file = textOf(options, 'config');
  if ((name === undefined) === (file === undefined))
    return fault('USAGE', 'simulate needs --scenario NAME, --config FILE or --list');
  const loaded = name === undefined ? readScenario(file ?? '') : loadScenario(name);
  if (!loaded.ok) return failed(describe(name ?? file ?? '', loaded.fault));
  const faults = checkDevices(loaded.value, (id) => loadCatalog().profiles.get(id)?.profile);
  return faults.length === 0 ? ok(loaded.value) : failed(describe(name ?? file ?? '', faults));
}

function readScenario(file: string): Result<Scenario, readonly ScenarioFault[]> {
  try {
    return parseScenario(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    return failed([
      { code: 'SCENARIO_INVALID', path: '', message: `cannot read ${file}: ${(error as Error).message}` },
    ]);
  }
}

function describe(name: string, faults: readonly ScenarioFault[]): CommandFault {
  const [first] = faults;
  if (faults.length === 1 && first?.path === '') return { code: first.code, message: first.message };
  return describeFaults(first?.code ?? 'SCENARIO_INVALID', name, faults);
}

function describeFaults(
  code: string,
  name: string,
  faults: readonly { readonly path: string; readonly message: string }[],
): CommandFault {
  return {
    code,
    message: `${name} has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}; nothing was started`,
    details: faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)),
  };
}

async function runSimulation(
  simulation: Simulation,
  firstPort: number,
  { needsPauses, speed, startAt, wire }: Course,
): Promise<Result<undefined, CommandFault>> {
  const served: { close(): Promise<void> }[] = [];
  let port = firstPort;
  try {
    for (const post of simulation.posts.values())
      for (const bus of post.buses) {
        const one = await post.serve({ bus, wire: wireOf(wire, port), scheduler: systemScheduler, needsPauses });
        served.push(one);
        const units = post.devices.filter((device) => device.bus === bus).map(({ id, unit }) => `${id}=${unit}`);
        process.stdout.write(`${post.id}/${bus}  ${one.place}  units ${units.join(' ')}\n`);
        if (port !== 0) port += 1;
      }
  } catch (error) {
    await Promise.all(served.map((one) => one.close()));
    const reason = (error as Error).message;
    return wire === 'rtu'
      ? fault('SIMULATION_LINE', `cannot make a serial line: ${reason}`)
      : fault('SIMULATION_PORT', `cannot serve on port ${port}: ${reason}. Choose another with --port`);
  }
  const begunAt = systemClock.monotonic();
  const worldTime = (): number => startAt + (systemClock.monotonic() - begunAt) * speed;
  // A fast world moves on more often, so that what is read is no older; ten times a second is enough.
  const stepMs = Math.max(WORLD_STEP_MS / speed, 100);
  const stop = repeat(systemScheduler, stepMs, () => simulation.stepTo(Math.round(worldTime())));
  process.stdout.write('Ctrl-C stops it.\n');
  await untilSignal();
  stop();
  await Promise.all(served.map((one) => one.close()));
  return done;
}
