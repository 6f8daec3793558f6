/**
 * A real host program: loop, policy, recorder and link as `kit run` has them, swinging an arm on a real port. It measures itself run by run,
 * or goes on until somebody kills it.
 */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { messageOf } from '@sim2servo/models/error';
import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { ControlLoop } from '@sim2servo/runtime/control-loop';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import { bindGraph } from '@sim2servo/runtime/inference-backend';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { Recorder } from '@sim2servo/runtime/recorder';
import { recordSizes } from '@sim2servo/runtime/tick-record';
import type { LoopHostMessage, LoopHostSetup } from './loop-host.js';
import { standInGraph } from './stand-in-graph.js';
import { swingOf } from './swing.js';

const say = (message: LoopHostMessage) => process.send!(message);

process.once('message', async (setup: LoopHostSetup) => {
  try {
    for (let run = 0; run < setup.runs; run++) await swingOnce(setup, run);
  } catch (error) {
    say({ kind: 'failed', message: messageOf(error) });
  }
  process.disconnect();
});

async function swingOnce(
  { robot: name, port, logPath, controlRateHz, seconds, speedShare }: LoopHostSetup,
  run: number,
) {
  const robot = loadRobot(name);
  const { spec } = robot;
  const clock = new RealtimeClock();
  const buffers = {
    observation: new Float32Array(observationSize(spec)),
    action: new Float32Array(spec.joints.length),
    scratch: new Float32Array(spec.joints.length),
  };
  const graph = await bindGraph(standInGraph(buffers.observation.length, buffers.action.length), buffers);
  const swing = swingOf(spec, controlRateHz, speedShare);
  const startS = spec.safety.armingRampS;
  let tick = 0;
  let moving = false;
  const recorder = await Recorder.open({
    path: `${logPath}-${run}.mcap`,
    sizes: recordSizes(spec),
    header: { robot: spec.name, specSha256: robot.specSha256, policyDigest: 'a swing', task: 'reach', controlRateHz },
  });
  // Of an adapter that refuses, those have heard who opened the port before for the checks.
  const open = (baudRate: number) => openSerial(port, baudRate, { onLatency: () => {} });
  const link = createLink({ robot, clock, open });
  try {
    const report = await new ControlLoop({
      spec,
      task: taskNamed('reach'),
      controlRateHz,
      motion: await link.open(),
      clock,
      recorder,
      policy: {
        observation: buffers.observation,
        action: buffers.action,
        rehearse: () => graph.run(true),
        // What the graph says does not count, but it takes its time.
        infer: () => {
          const pending = graph.run(false);
          const act = () => swing(buffers.action, ++tick / controlRateHz - startS);
          return pending === undefined ? act() : pending.then(act);
        },
      },
      goals: listedGoals([[0.15, 0.05, 0.06]], Math.ceil(seconds * controlRateHz)),
      onStatus: ({ ticks, motion }) => {
        if (motion === 'running' && !moving) say({ kind: 'moving' });
        if (motion === 'running') say({ kind: 'ticks', ticks });
        moving ||= motion === 'running';
      },
    }).run();
    const { error: _error, ...end } = report.end;
    say({ kind: 'run', report: { ...report, end } });
  } finally {
    await recorder.close();
    await link.close();
    await graph.dispose();
  }
}
