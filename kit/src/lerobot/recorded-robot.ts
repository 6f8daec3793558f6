/** The robot that a log or a dataset is of: the one of that time, not another of its name. */
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';

/**
 * @param given  name or folder; absent: the robot that the header names
 * @param header of the log
 * @throws KitError E_DATASET_ROBOT where its robot.json is not that of the recording; E_ROBOT_UNKNOWN and others of loading one
 */
export function recordedRobot(
  source: string,
  header: Readonly<Record<string, string>>,
  given: string | undefined,
): LoadedRobot {
  const robot = loadRobot(given ?? header.robot!);
  if (robot.specSha256 === header.specSha256) return robot;
  throw new KitError(
    'E_DATASET_ROBOT',
    `${source} is of a ${header.robot} whose robot.json has the digest ${header.specSha256?.slice(0, 12)}…; ${robot.folder} holds a ${robot.spec.name} with ${shortDigest(robot.specSha256)}`,
    'name the folder with the robot.json of that time: --robot FOLDER',
    'usage',
  );
}
