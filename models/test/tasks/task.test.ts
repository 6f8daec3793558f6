/** Tests of tasks/task; its writer is at it. */
export {};
