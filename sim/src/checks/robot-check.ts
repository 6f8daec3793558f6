/** What a check of a robot folder found. */
export interface RobotCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

export const degrees = (rad: number): string => `${((rad * 180) / Math.PI).toFixed(0)}°`.replace(/^-0°$/, '0°');
