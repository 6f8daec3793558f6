/**
 * `meta/info.json` of a LeRobot dataset: what of it we read, and where its parts lie in version 3
 * (https://huggingface.co/docs/lerobot/lerobot-dataset-v3).
 */
import { z } from 'zod';

const names = z.array(z.string());

const feature = z.looseObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  /** One for each number of a vector; older recorders put the list under a name of its own. */
  names: z
    .union([names, z.record(z.string(), z.unknown())])
    .nullish()
    .transform(given => {
      const list = Array.isArray(given) || given == null ? given : Object.values(given)[0];
      return names.safeParse(list).data ?? null;
    }),
});

export const lerobotInfoSchema = z.looseObject({
  codebase_version: z.string(),
  robot_type: z.string().nullish(),
  fps: z.number().positive(),
  total_episodes: z.int().nonnegative(),
  total_frames: z.int().nonnegative(),
  features: z.record(z.string(), feature),
});

export type LerobotInfo = z.infer<typeof lerobotInfoSchema>;

/** The version that we write; we read what has the same first number. */
export const lerobotVersion = 'v3.0';

export const lerobotPaths = {
  info: 'meta/info.json',
  statistics: 'meta/stats.json',
  tasks: 'meta/tasks.parquet',
  episodes: 'meta/episodes',
  data: 'data',
  /** Ours: the header of the log, which has no place in LeRobot's own files. */
  logHeader: 'meta/sim2servo.json',
} as const;

export const lerobotLogHeaderSchema = z.object({ header: z.record(z.string(), z.string()) });

/** Files that lie in one chunk, a folder. */
export const lerobotChunkFiles = 1000;

/** Where file `n` of data or episodes lies in its folder. */
export function lerobotFile(n: number): { chunkIndex: number; fileIndex: number; path: string } {
  const chunkIndex = Math.floor(n / lerobotChunkFiles);
  const fileIndex = n % lerobotChunkFiles;
  const digits = (index: number) => String(index).padStart(3, '0');
  return { chunkIndex, fileIndex, path: `chunk-${digits(chunkIndex)}/file-${digits(fileIndex)}.parquet` };
}

/** The same as a pattern, in Python's words. */
export const lerobotDataPattern = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet';
