/** Arms for the tests: the shipped one, its files as records that a test may change, and one that moves in space. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlState, createControlState, resetControlState } from '../src/control-state.js';
import { shippedRobots } from '../src/robot-folder.js';
import { type RobotSpec, robotSpecSchema } from '../src/robot-spec.js';
import { type HobbyServo, type Site, type SiteOn, siteSchema } from '../src/site.js';

/** A file of desk2, parsed, as its own copy. */
function shipped(file: string): unknown {
  return JSON.parse(readFileSync(join(shippedRobots, 'desk2', file), 'utf8'));
}

export function desk2Json(): RobotSpec {
  return shipped('robot.json') as RobotSpec;
}

export function desk2SiteJson(): Site & KitlinkSite {
  return shipped('site.json') as Site & KitlinkSite;
}

export const desk2: RobotSpec = robotSpecSchema.parse(desk2Json());
export type KitlinkSite = { bus: SiteOn<'kitlink'>['bus']; servos: HobbyServo[] };

export const desk2Site: Site = siteSchema.parse(desk2SiteJson());

export function desk2With(changes: Partial<RobotSpec>): RobotSpec {
  return robotSpecSchema.parse({ ...desk2Json(), ...changes });
}

/** At rest at `position` (or at home), told to stay there. */
export function atRest(spec: RobotSpec, position: readonly number[] = spec.joints.map(j => j.home)): ControlState {
  const state = createControlState(spec);
  resetControlState(state, position);
  return state;
}

/** A waist that turns about z, a shoulder and an elbow that pitch about y; the stretched arm points up. */
export function spatialArm(): RobotSpec {
  const joint = (name: string) => ({
    name,
    unit: 'rad',
    range: [-1.6, 1.6],
    maxVelocity: 3,
    maxAcceleration: 40,
    home: 0,
  });
  return robotSpecSchema.parse({
    ...desk2Json(),
    name: 'spatial',
    joints: [joint('waist'), joint('shoulder'), joint('elbow')],
    frames: [
      { name: 'turntable', joint: 'waist', translationM: [0, 0, 0.1] },
      { name: 'upper-arm', parent: 'turntable', joint: 'shoulder', axis: [0, 1, 0], translationM: [0, 0, 0] },
      { name: 'forearm', parent: 'upper-arm', joint: 'elbow', axis: [0, 3, 0], translationM: [0, 0, 0.2] },
      { name: 'fingertip', parent: 'forearm', translationM: [0, 0, 0.1] },
    ],
    reachM: 0.4,
  });
}
