/** Tests of tasks/held-out-goals; its writer is at it. */
export {};
