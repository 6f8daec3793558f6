/** Tests of tasks/reachable-set; its writer is at it. */
export {};
