/** The ways to each target, out of a run's log: what the workspace figure draws. */
import { readLog } from '@sim2servo/runtime/log-reader';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import type { TargetTrail } from '../workspace-figure.js';

export function loggedTrails(logPath: string, targets: RunReport['targets']): TargetTrail[] {
  const positions = new Map<number, number[][]>();
  readLog(logPath, {
    record: ({ episode, position }) => {
      const way = positions.get(episode) ?? [];
      positions.set(episode, way);
      way.push(Array.from(position));
    },
  });
  return targets.map(target => ({
    goal: target.goalM,
    positions: positions.get(target.episode) ?? [],
    errorMm: target.errorM * 1000,
    reached: target.reached,
  }));
}
