#define _GNU_SOURCE
/* The threads that start children: until a child executes its program, the thread that starts it sleeps, which takes
 * milliseconds on a busy host. They never end, because a child can ask to be killed with the thread that has started
 * it (PR_SET_PDEATHSIG). */
#include "spawn-threads.h"
#include "threads.h"

#include <stddef.h>

/* A program on a file system that does not answer keeps a thread waiting. */
#define MAX_THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_job = PTHREAD_COND_INITIALIZER;
static struct spawn_job *first, **last = &first;
static int waiting_jobs, idle_threads, threads;

static struct spawn_job *next_job(void) {
  pthread_mutex_lock(&mutex);
  idle_threads++;
  while (!first) pthread_cond_wait(&has_job, &mutex);
  idle_threads--;
  struct spawn_job *job = first;
  first = job->next;
  if (!first) last = &first;
  waiting_jobs--;
  pthread_mutex_unlock(&mutex);
  return job;
}

static void *run_jobs(void *unused) {
  for (;;) {
    struct spawn_job *job = next_job();
    job->run(job);
  }
  return unused;
}

int queue_spawn_job(struct spawn_job *job) {
  int error = 0;
  pthread_mutex_lock(&mutex);
  if (waiting_jobs >= idle_threads && threads < MAX_THREADS) {
    error = create_detached_thread(run_jobs, NULL);
    if (!error) threads++;
  }
  if (threads > 0) {
    error = 0;
    job->next = NULL;
    *last = job;
    last = &job->next;
    waiting_jobs++;
    pthread_cond_signal(&has_job);
  }
  pthread_mutex_unlock(&mutex);
  return error;
}
