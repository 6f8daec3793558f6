/** `fleet.json`: the robots that are deployed to together, and how each is reached. */
import { z } from 'zod';

const file = (what: string) => z.string().min(1).optional().describe(`relative to this file: ${what}`);
/** As a broker knows it, and no number: those JavaScript would put first. */
const robotName = z.string().regex(/^[A-Za-z_-][A-Za-z0-9_-]*$/, 'letters, digits, - and _, no digit first');
const group = z.string().regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, - and _');

export const fleetSchema = z
  .strictObject({
    $schema: z.string().optional(),
    format: z.literal('sim2servo/fleet@1'),
    sshConfig: file('another configuration file for ssh'),
    ca: file('PEM file: who vouches for the brokers; default: what the system trusts'),
    cert: file('PEM file: our certificate, where a broker wants one'),
    key: file("PEM file: our certificate's key"),
    robots: z
      .record(
        robotName,
        z.strictObject({
          to: z
            .string()
            .min(1)
            .describe('user@host[:port], ssh://NAME, mqtt://broker/robot, or a folder relative to this file'),
          groups: z.array(group).default([]).describe('names that --group takes'),
          robot: z
            .string()
            .min(1)
            .optional()
            .describe(
              'of a folder: shipped robot, or robot folder relative to this file; other robots know it themselves',
            ),
        }),
      )
      .refine(robots => Object.keys(robots).length > 0, { error: 'there must be one robot at least' })
      .describe('by name; those that drive, then the first of them, are the canaries'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    path: ['cert'],
    error: 'cert and key belong together',
  });
