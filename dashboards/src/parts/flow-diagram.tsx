// Energy and water of a post as one picture, in the order of the wiring: sources above the bus, users below, water under the
// pump. Grey: the picture states, alarms warn. Width and arrow of a line say how much and which way.
import type { PostSummary } from '#contract/view.js';
import type { Texts } from '#texts/en.js';
import { formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { judge, numberOf } from '../model/figure.js';
import {
  type Direction,
  FLOW_UNITS,
  type FlowLine,
  type FlowNode,
  type NodeName,
  postFlow,
} from '../model/post-flow.js';
import { unexplainedPower } from '../model/power-balance.js';

const WIDTH = 360;
const BOX = { width: 110, height: 74 };
const ROW = { source: 4, bus: 106, user: 134, water: 240 };

const SOURCES: readonly NodeName[] = ['pv', 'genset', 'grid'];
const USERS: readonly NodeName[] = ['battery', 'load', 'pump'];

interface Placed {
  readonly node: FlowNode;
  readonly line: FlowLine;
  /** Middle of the box. */
  readonly x: number;
  readonly y: number;
}

/** Boxes of one row, spread evenly over the width. */
function placeRow(
  names: readonly NodeName[],
  nodes: ReadonlyMap<NodeName, { node: FlowNode; line: FlowLine }>,
  y: number,
): Placed[] {
  const present = names.flatMap((name) => nodes.get(name) ?? []);
  return present.map((entry, index) => ({ ...entry, x: ((index + 0.5) * WIDTH) / present.length, y }));
}

export function FlowDiagram({ flows }: { flows: PostSummary['flows'] }) {
  const { slowNow } = useApp();
  const now = slowNow.value;
  const { nodes, lines } = postFlow(flows, now);
  const byName = new Map(
    nodes.flatMap((node) => {
      const line = lines.find((candidate) => candidate.node === node.name);
      return line === undefined ? [] : [[node.name, { node, line }] as const];
    }),
  );
  const sources = placeRow(SOURCES, byName, ROW.source);
  const users = placeRow(USERS, byName, ROW.user);
  const pump = users.find(({ node }) => node.name === 'pump');
  const tankEntry = byName.get('tank');
  const tank =
    tankEntry === undefined ? undefined : { ...tankEntry, x: pump?.x ?? WIDTH - BOX.width / 2 - 5, y: ROW.water };
  const height = tank === undefined ? ROW.user + BOX.height + 4 : ROW.water + BOX.height + 4;
  const rest = unexplainedPower(flows, now);
  return (
    <svg class="flow" viewBox={`0 0 ${WIDTH} ${height}`} aria-hidden="true">
      {sources.length + users.length > 0 && <Bus placed={[...sources, ...users]} />}
      {sources.map((placed) => (
        <PowerLine key={placed.node.name} placed={placed} fromY={ROW.source + BOX.height} />
      ))}
      {users.map((placed) => (
        <PowerLine key={placed.node.name} placed={placed} fromY={ROW.user} />
      ))}
      {tank !== undefined && <WaterLine tank={tank} flows={flows} hasPump={pump !== undefined} />}
      {[...sources, ...users, ...(tank === undefined ? [] : [tank])].map((placed) => (
        <Box key={placed.node.name} placed={placed} flows={flows} />
      ))}
      {rest !== null && <Unexplained watts={rest} y={ROW.user + BOX.height + 28} />}
    </svg>
  );
}

function Bus({ placed }: { placed: readonly Placed[] }) {
  const xs = placed.map(({ x }) => x);
  return <line class="bus" x1={Math.min(...xs) - 20} x2={Math.max(...xs) + 20} y1={ROW.bus} y2={ROW.bus} />;
}

/** Between the bus and a box: `in` points at the bus. */
function PowerLine({ placed, fromY }: { placed: Placed; fromY: number }) {
  const { direction, strength } = placed.line;
  return <Arrow x={placed.x} boxY={fromY} otherY={ROW.bus} direction={direction} strength={strength} kind="power" />;
}

function WaterLine(props: { tank: Placed; flows: PostSummary['flows']; hasPump: boolean }) {
  const { slowNow, texts } = useApp();
  const { tank, flows, hasPump } = props;
  if (flows.waterFlow === undefined) return null;
  const { direction, strength } = tank.line;
  // For the tank `in` means into the tank, so the arrow points at the box.
  const turned: Direction = direction === 'in' ? 'out' : direction === 'out' ? 'in' : direction;
  const top = hasPump ? ROW.user + BOX.height : ROW.water - 28;
  const flow = judge(flows.waterFlow, slowNow.value);
  const label = typeof flow.value === 'number' ? formatValue(flow.value, 'm³/h', texts.value) : texts.value.app.none;
  return (
    <>
      <Arrow x={tank.x} boxY={ROW.water} otherY={top} direction={turned} strength={strength} kind="water" />
      <text class={`flow-label ${flow.trust}`} x={tank.x - 12} y={top + 21} text-anchor="end">
        {label}
      </text>
    </>
  );
}

interface ArrowProps {
  readonly x: number;
  readonly boxY: number;
  readonly otherY: number;
  /** `in`: away from the box. */
  readonly direction: Direction;
  readonly strength: number;
  readonly kind: 'power' | 'water';
}

function Arrow({ x, boxY, otherY, direction, strength, kind }: ArrowProps) {
  if (direction === 'none' || direction === 'unknown')
    return <line class={`wire ${direction}`} x1={x} x2={x} y1={boxY} y2={otherY} />;
  const width = 2 + 6 * strength;
  const [from, to] = direction === 'in' ? [boxY, otherY] : [otherY, boxY];
  const step = Math.sign(to - from);
  const head = 9;
  const half = 4 + width / 2;
  const neck = to - step * head;
  return (
    <g class={`wire flowing ${kind}`}>
      <line x1={x} x2={x} y1={from} y2={neck} stroke-width={width} />
      <path d={`M${x - half} ${neck}L${x} ${to}L${x + half} ${neck}Z`} />
    </g>
  );
}

function Box({ placed, flows }: { placed: Placed; flows: PostSummary['flows'] }) {
  const { texts, slowNow } = useApp();
  const { node, x, y } = placed;
  const { value, trust } = node.figure;
  const left = x - BOX.width / 2;
  const number =
    typeof value === 'number' ? formatValue(value, FLOW_UNITS[node.main], texts.value) : texts.value.app.none;
  const fillHeight = node.fill === null ? 0 : (BOX.height - 2) * node.fill;
  return (
    <g class={`node ${trust} ${placed.line.direction}`}>
      <rect class="node-frame" x={left} y={y} width={BOX.width} height={BOX.height} rx="4" />
      {node.fill !== null && (
        <rect
          class="node-fill"
          x={left + BOX.width - 9}
          y={y + 1 + (BOX.height - 2 - fillHeight)}
          width="8"
          height={fillHeight}
        />
      )}
      <text class="node-name" x={left + 9} y={y + 18}>
        {nodeName(node.name, texts.value)}
      </text>
      <text class="node-value" x={left + 9} y={y + 41}>
        {number}
        {trust === 'questionable' && <tspan class="doubt"> ?</tspan>}
      </text>
      <text class="node-more" x={left + 9} y={y + 61}>
        {moreOf(node.name, placed.line.direction, flows, slowNow.value, texts.value)}
      </text>
    </g>
  );
}

function nodeName(name: NodeName, texts: Texts): string {
  const { flows } = texts;
  const names: Readonly<Record<NodeName, string>> = {
    pv: flows.pvPower,
    genset: flows.gensetPower,
    grid: flows.gridPower,
    battery: flows.batteryPower,
    load: flows.loadPower,
    pump: flows.pumpPower,
    tank: flows.tankFill,
  };
  return names[name];
}

/** The second line of a box: what the thing does now. Empty where nobody knows. */
function moreOf(name: NodeName, direction: Direction, flows: PostSummary['flows'], now: number, texts: Texts): string {
  const { post } = texts;
  if (name === 'battery') {
    const power = numberOf(judge(flows.batteryPower, now));
    if (power === null) return '';
    if (direction === 'none') return post.idle;
    return `${direction === 'in' ? '↑' : '↓'} ${formatValue(Math.abs(power), 'W', texts)}`;
  }
  if (name === 'tank') {
    const level = numberOf(judge(flows.tankLevel, now));
    return level === null || flows.tankFill === undefined ? '' : formatValue(level, 'm', texts);
  }
  if (name === 'grid') return direction === 'in' ? post.importing : direction === 'out' ? post.exporting : '';
  if (name === 'genset' || name === 'pump')
    return direction === 'unknown' ? '' : direction === 'none' ? post.stopped : post.running;
  return '';
}

function Unexplained({ watts, y }: { watts: number; y: number }) {
  const { texts } = useApp();
  return (
    <text class="unexplained" x="8" y={y}>
      {texts.value.post.unexplained(formatValue(Math.abs(watts), 'W', texts.value))}
      <title>{texts.value.post.unexplainedMeaning}</title>
    </text>
  );
}
