/**
 * What a policy may depend on, and no more. Ports, ids, pulse ranges and calibration belong to the {@link Site}: replugging or
 * recalibrating an arm never changes the spec's digest, so it never invalidates a policy.
 */
import { z } from 'zod';

const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, { error: issue => `[${issue.input}]: the lower end must be below the upper` });
const positive = z.number().positive();
const vector = z.tuple([z.number(), z.number(), z.number()]);
const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and dashes');

const joint = z
  .strictObject({
    name,
    unit: z.literal('rad').describe('of range, home and, per second, of the maxima'),
    range: range.describe('reachable positions; the shield never lets a target out'),
    maxVelocity: positive,
    maxAcceleration: positive,
    home: z.number(),
  })
  .refine(j => j.home >= j.range[0] && j.home <= j.range[1], { path: ['home'], error: 'must lie inside range' });

const frame = z.strictObject({
  name,
  parent: name.optional().describe('an earlier frame; absent for the base'),
  joint: name.optional().describe('the joint that turns this frame'),
  axis: vector
    .refine(axis => axis.some(part => part !== 0), 'an axis of length 0 points nowhere')
    .default([0, 0, 1])
    .describe('of the joint, in this frame; its length does not count'),
  translationM: vector.describe('of this frame in its parent, before the joint turns'),
});

/** The terms an observation is built of, in the order they stand. */
export const observationTerms = {
  position: 'measured joint positions, −1 … 1 over the range',
  velocity: 'estimated joint velocities over the maximal velocity',
  lag: 'commanded minus measured joint positions, over 0.1 rad',
  goal: 'the goal point in the base frame, over the reach',
  goalError: 'goal minus fingertip, over the reach',
  goalErrorFine: 'tanh of goal minus fingertip over 20 mm: the same, seen closely',
  goalErrorTurned: 'goalError along the axes of the first frame, which a first joint turns with the arm',
  goalErrorTurnedFine: 'goalErrorFine along them',
  actions: 'the last actions that were executed, newest first',
} as const;

export type ObservationTerm = keyof typeof observationTerms;

const safety = z.strictObject({
  armingRampS: positive.describe('time over which motion is let in after arming'),
  softLimit: positive.describe(
    'distance from the end of the range within which velocity is tapered, in the unit of the joint',
  ),
  lead: positive
    .optional()
    .describe(
      'how far a target may be from the measured position, in the unit of the joint; absent: as far as it likes',
    ),
  nonFiniteTicks: z.int().positive().describe('refused ticks in a row that latch a fault'),
  staleTicks: z.int().positive().describe('ticks in a row without a fresh sample that latch a fault'),
});

export const robotSpecSchema = z
  .strictObject({
    $schema: z.string().optional(),
    format: z.literal('sim2servo/robot@1'),
    name,
    joints: z.array(joint).min(1).max(32),
    frames: z.array(frame).min(1).describe('the chain of links; the last one is the fingertip'),
    reachM: positive.describe('from the base to the fingertip of the stretched arm'),
    workspace: z
      .strictObject({
        floorM: z.number().describe('no frame lies lower than this'),
        columnM: z
          .number()
          .nonnegative()
          .describe('the fingertip is no nearer to the vertical through the first frame'),
      })
      .optional()
      .describe('postures that goals and starts are drawn from; all that the joints allow where it is absent'),
    observation: z.array(z.enum(Object.keys(observationTerms) as [ObservationTerm, ...ObservationTerm[]])).min(1),
    actionHistory: z.int().min(1).max(8).describe('how many executed actions the term `actions` holds'),
    action: z.strictObject({
      kind: z.enum(['position', 'delta-position', 'velocity']),
      scale: positive.describe(
        'what ±1 means: position: share of the range; delta-position: rad a tick; velocity: share of the maximal velocity',
      ),
    }),
    safety,
    scene: z.string().regex(/^[\w.-]+\.xml$/, 'an MJCF file beside robot.json'),
  })
  .superRefine((spec, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message, input: spec });
    const joints = new Set<string>();
    for (const [i, j] of spec.joints.entries()) {
      if (joints.has(j.name)) complain(['joints', i, 'name'], `'${j.name}' stands twice`);
      joints.add(j.name);
      if (2 * spec.safety.softLimit >= j.range[1] - j.range[0])
        complain(['safety', 'softLimit'], `${spec.safety.softLimit} leaves nothing of the range of ${j.name}`);
    }
    const frames = new Set<string>();
    const turned = new Set<string>();
    for (const [i, f] of spec.frames.entries()) {
      if (frames.has(f.name)) complain(['frames', i, 'name'], `'${f.name}' stands twice`);
      if (f.parent !== undefined && !frames.has(f.parent))
        complain(['frames', i, 'parent'], `no earlier frame is named '${f.parent}'`);
      if (f.joint !== undefined) {
        if (!joints.has(f.joint)) complain(['frames', i, 'joint'], `no joint is named '${f.joint}'`);
        if (turned.has(f.joint)) complain(['frames', i, 'joint'], `'${f.joint}' already turns another frame`);
        turned.add(f.joint);
      }
      frames.add(f.name);
    }
    if (new Set(spec.observation).size !== spec.observation.length) complain(['observation'], 'a term stands twice');
  });

export type RobotSpec = z.infer<typeof robotSpecSchema>;
