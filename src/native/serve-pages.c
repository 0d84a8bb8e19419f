/* A thread that gives pages in files to CRIU's lazy-pages daemon, which asks for them as for those of a lazy dump. It
 * can ask the source of a lazy dump itself for the pages that no file has. */
#include "addon.h"
#include "page-message.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PAGES_PRESENT = 4,
  MAX_PAGES = 256, /* of an answer: CRIU asks again for the rest */
  RELAY_SIZE = 1 << 16,
  GROWTH_BYTES = 256 << 20, /* what the daemon may get besides all pages twice */
};

/* Consecutive pages in a file. JavaScript passes them as numbers of 64 bits. */
struct stored_pages {
  uint64_t id; /* the pid of the process in the images */
  uint64_t address, count;
  uint64_t path;   /* where the path is in the paths */
  uint64_t offset; /* in the file, in bytes */
};

struct page_server {
  int socket;
  int source; /* -1 without a source */
  int status; /* the write end of a pipe that gets the reason of a failure */
  int limit;  /* the read end of a pipe at whose end the time limit begins; -1 from then on */
  int limit_ms; /* how long the daemon may ask for nothing */
  size_t page_size, count;
  uint64_t allowed; /* pages of files that the daemon may still get */
  struct stored_pages *stored; /* by processes and addresses, in ascending order */
  char *paths;
};

static void free_server(struct page_server *server) {
  free(server->stored);
  free(server->paths);
  free(server);
}

static bool failed(const struct page_server *server, const char *call, const char *path) {
  dprintf(server->status, "%s %s: %s", call, path, strerror(errno));
  return false;
}

static const struct stored_pages *find(const struct page_server *server, uint64_t id, uint64_t address) {
  size_t low = 0, high = server->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const struct stored_pages *pages = &server->stored[middle];
    if (pages->id < id || (pages->id == id && pages->address + pages->count * server->page_size <= address))
      low = middle + 1;
    else
      high = middle;
  }
  const struct stored_pages *found = &server->stored[low];
  return low < server->count && found->id == id && found->address <= address ? found : NULL;
}

static bool send_all(const struct page_server *server, const void *data, size_t size) {
  ssize_t sent = send(server->socket, data, size, 0);
  return sent == (ssize_t)size || failed(server, "send", "an answer");
}

static bool send_file(const struct page_server *server, int file, off_t offset, size_t size) {
  while (size > 0) {
    ssize_t sent = sendfile(server->socket, file, &offset, size);
    if (sent == 0) errno = ENODATA;
    if (sent <= 0) return false;
    size -= (size_t)sent;
  }
  return true;
}

/* Passes on what the source sends next. */
static bool relay(const struct page_server *server, size_t size) {
  char buffer[RELAY_SIZE];
  while (size > 0) {
    ssize_t received = recv(server->source, buffer, size < sizeof buffer ? size : sizeof buffer, 0);
    if (received == 0) errno = ECONNRESET;
    if (received <= 0) return failed(server, "receive", "pages of the source");
    if (!send_all(server, buffer, (size_t)received)) return false;
    size -= (size_t)received;
  }
  return true;
}

static bool answer_from_source(const struct page_server *server, struct page_message *message) {
  uint64_t asked = message->page_count;
  if (send(server->source, message, sizeof *message, 0) != sizeof *message)
    return failed(server, "send", "a request to the source");
  ssize_t received = recv(server->source, message, sizeof *message, MSG_WAITALL);
  if (received == sizeof *message && message->page_count <= asked)
    return send_all(server, message, sizeof *message) &&
           relay(server, message->page_count * server->page_size);
  errno = received < 0 ? errno : ECONNRESET;
  return failed(server, "receive", "an answer of the source");
}

/* A daemon that has lost track of what is missing may ask for the same pages for ever. */
static bool take_pages(struct page_server *server, uint64_t count) {
  if (count > server->allowed) {
    dprintf(server->status, "the lazy-pages daemon asks for the same pages again and again");
    return false;
  }
  server->allowed -= count;
  return true;
}

static bool answer(struct page_server *server, struct page_message *message) {
  const struct stored_pages *pages = find(server, message->destination, message->address);
  if (!pages && server->source >= 0) return answer_from_source(server, message);
  if (!pages) {
    errno = ENODATA;
    return failed(server, "find", "a page");
  }
  uint64_t page_size = server->page_size, skipped = (message->address - pages->address) / page_size;
  if (message->page_count > pages->count - skipped) message->page_count = pages->count - skipped;
  if (message->page_count > MAX_PAGES) message->page_count = MAX_PAGES;
  if (!take_pages(server, message->page_count)) return false;
  message->command = PAGES_PRESENT << FLAGS_SHIFT | ADD_PAGES;
  const char *path = server->paths + pages->path;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed(server, "open", path);
  bool done = send_all(server, message, sizeof *message) &&
              (send_file(server, file, (off_t)(pages->offset + skipped * page_size),
                         message->page_count * page_size) ||
               failed(server, "sendfile", path));
  close(file);
  return done;
}

/* Until the limit begins, the daemon asks only for what the restore needs. */
static bool await_request(struct page_server *server) {
  struct pollfd fds[] = {{.fd = server->socket, .events = POLLIN}, {.fd = server->limit, .events = POLLIN}};
  for (;;) {
    int ready = poll(fds, 2, server->limit < 0 ? server->limit_ms : -1);
    if (ready < 0) return failed(server, "poll", "for requests");
    if (ready == 0) {
      dprintf(server->status, "the lazy-pages daemon has asked for no page for %d ms", server->limit_ms);
      return false;
    }
    if (fds[0].revents) return true;
    close(server->limit);
    server->limit = fds[1].fd = -1;
  }
}

/* The daemon has all pages. Its source learns that, if it is still there. */
static void answer_end(const struct page_server *server, const struct page_message *message) {
  const int32_t status = 0;
  if (server->source >= 0) send(server->source, message, sizeof *message, 0);
  send_all(server, &status, sizeof status);
}

/* The daemon's last message is answered by a status. Without one, the daemon has died. */
static void *serve(void *data) {
  struct page_server *server = data;
  struct page_message message;
  while (await_request(server) &&
         recv(server->socket, &message, sizeof message, MSG_WAITALL) == sizeof message) {
    bool is_last = (message.command & COMMAND_MASK) != GET_PAGES;
    if (is_last) answer_end(server, &message);
    if (is_last || !answer(server, &message)) break;
  }
  close(server->socket);
  if (server->source >= 0) close(server->source);
  if (server->limit >= 0) close(server->limit);
  close(server->status);
  free_server(server);
  return NULL;
}

static bool copy_bytes(napi_env env, napi_value value, void **copy, size_t *size) {
  void *data;
  if (!get_bytes(env, value, &data, size)) return false;
  *copy = malloc(*size + 1);
  if (!*copy) return throw_errno(env, ENOMEM, "malloc", NULL);
  if (*size > 0) memcpy(*copy, data, *size);
  return true;
}

static bool get_request(napi_env env, napi_value request, struct page_server *server) {
  enum { STORED, PATHS, SOCKET, SOURCE, STATUS, LIMIT, LIMIT_MS, PROPERTIES };
  static const char *const names[PROPERTIES] = {"stored", "paths", "socket", "source",
                                                "status", "limit", "limitMs"};
  int *const numbers[PROPERTIES] = {
      [SOCKET] = &server->socket, [SOURCE] = &server->source,    [STATUS] = &server->status,
      [LIMIT] = &server->limit,   [LIMIT_MS] = &server->limit_ms};
  napi_value values[PROPERTIES];
  size_t size, paths_size;
  for (int i = 0; i < PROPERTIES; i++)
    if (!check(env, napi_get_named_property(env, request, names[i], &values[i])) ||
        (numbers[i] && !get_int(env, values[i], numbers[i])))
      return false;
  if (!copy_bytes(env, values[STORED], (void **)&server->stored, &size) ||
      !copy_bytes(env, values[PATHS], (void **)&server->paths, &paths_size))
    return false;
  server->page_size = (size_t)sysconf(_SC_PAGESIZE);
  server->count = size / sizeof *server->stored;
  server->allowed = GROWTH_BYTES / server->page_size;
  for (size_t i = 0; i < server->count; i++) server->allowed += 2 * server->stored[i].count;
  return true;
}

bool js_serve_pages(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct page_server *server = calloc(1, sizeof *server);
  if (!server) return throw_errno(env, ENOMEM, "calloc", NULL);
  if (get_request(env, call->arguments[0], server)) {
    int error = create_detached_thread(serve, server);
    if (!error) return true;
    throw_errno(env, error, "pthread_create", NULL);
  }
  free_server(server);
  return false;
}
