/* See spawn-threads.c. */
#pragma once

struct spawn_job {
  void (*run)(struct spawn_job *job);
  struct spawn_job *next;
};

/* Has a thread run the job. Returns an error number, if there is no thread. */
int queue_spawn_job(struct spawn_job *job);
