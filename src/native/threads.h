/* The functions of threads by the oldest versions of their symbols, which a newer glibc has moved: an addon that
 * is built with that loads with 2.28. */
#pragma once

#include <pthread.h>
#include <signal.h>

#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.17");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.17");
#endif

/* The signals of the process are for other threads. */
static inline int create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                void *data) {
  sigset_t all, before;
  sigfillset(&all);
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error) return error;
  error = pthread_create(thread, attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* Such a thread can outlive every environment that loaded the addon, and Node unloads an addon after the last of
 * them. The build links with -z nodelete, so that the thread's code stays. */
static inline int create_detached_thread(void *(*run)(void *), void *data) {
  pthread_t thread;
  pthread_attr_t detached;
  int error = pthread_attr_init(&detached);
  if (error) return error;
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  error = create_thread(&thread, &detached, run, data);
  pthread_attr_destroy(&detached);
  return error;
}
