/** `kit logs convert`: logs as a table or a LeRobot dataset, and a dataset as a log. */
import { basename } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { convertLog, tableFormats } from '@sim2servo/runtime/logs';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.js';
import { datasetToLog, type WrittenLog } from '../lerobot/dataset-to-log.js';
import { type JointUnit, jointUnits } from '../lerobot/joint-units.js';
import { logsToDataset, type WrittenDataset } from '../lerobot/logs-to-dataset.js';
import { ProgressLine } from '../progress-line.js';

const formats = [...tableFormats, 'lerobot', 'mcap'] as const;

/** What a flag is for. */
const formatsOf: Readonly<Record<string, readonly string[]>> = { robot: ['lerobot', 'mcap'], units: ['mcap'] };

interface ConvertFlags {
  readonly to: (typeof formats)[number];
  readonly out: string;
  readonly robot?: string;
  readonly units?: JointUnit;
}

export function addLogsConvert(logs: Command, context: CommandContext): void {
  logs
    .command('convert')
    .description('write a log as a table, logs as a LeRobot dataset, or a LeRobot dataset as a log')
    .argument('<source...>', '.mcap file; several for lerobot; the folder of a dataset for mcap')
    .addOption(new Option('--to <format>', 'what to write').choices(formats).default('csv'))
    .requiredOption('--out <path>', 'file to write; for lerobot, folder')
    .option('--robot <robot>', 'lerobot, mcap: shipped robot or folder with a robot.json (default: the one it names)')
    .addOption(
      new Option('--units <units>', 'mcap: of the positions in a dataset that LeRobot recorded').choices(jointUnits),
    )
    .action(async (sources: readonly string[], { to, out, ...flags }: ConvertFlags) => {
      for (const [flag, formats] of Object.entries(formatsOf))
        if (flag in flags && !formats.includes(to))
          throw new KitError(
            'E_USAGE',
            `--${flag} says nothing of ${to}`,
            `it goes with --to ${formats.join(', ')}`,
            'usage',
          );
      const line = new ProgressLine(context.io);
      const options = {
        ...flags,
        signal: context.signal,
        onProgress: (frames: number) => line.show(() => `${frames} transitions`),
      };
      try {
        if (to === 'lerobot') {
          const written = await logsToDataset(sources, out, options);
          line.done();
          context.result(written, () => datasetInWords(written));
          return;
        }
        const [source] = sources;
        if (sources.length > 1)
          throw new KitError(
            'E_LOGS',
            `${sources.length} sources for one ${to} file`,
            'convert them one by one',
            'usage',
          );
        if (to === 'mcap') {
          const written = await datasetToLog(source!, out, options);
          line.done();
          context.result(written, () => logInWords(written));
        } else {
          const scan = convertLog(source!, to, out);
          context.result({ out, ...scan }, () => `${scan.records} transitions written to ${out}`);
        }
      } finally {
        line.done();
      }
    });
}

function datasetInWords({ out, frames, episodes, gaps, cutOff }: WrittenDataset): string {
  return [
    `${frames} transitions in ${episodes} episodes written to ${out}`,
    ...(gaps === 0 ? [] : [`gaps where ticks were lost: ${gaps}; the dataset begins a new episode after each`]),
    ...cutOff.map(({ log, lostBytes, damage }) =>
      damage === ''
        ? `${log} is cut off: its last ${lostBytes} bytes are lost`
        : `${log} is damaged: ${damage}; ${lostBytes} bytes are lost`,
    ),
    `open it: LeRobotDataset('local/${basename(out)}', root='${out}')`,
  ].join('\n');
}

function logInWords({ out, records, episodes, source, columnsLeftOut, outsideRange }: WrittenLog): string {
  return [
    `${records} transitions in ${episodes} episodes written to ${out}`,
    ...(source === 'log'
      ? []
      : [
          'made of demonstrations: velocities and actions follow from the positions, goals are where the episodes ended',
        ]),
    ...(columnsLeftOut.length === 0 ? [] : [`left out: ${columnsLeftOut.join(', ')}`]),
    ...(outsideRange === 0 ? [] : [`${outsideRange} targets lie outside the range of a joint: is --units right?`]),
  ].join('\n');
}
