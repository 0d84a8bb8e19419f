/* The part of Node-API that the addon needs to load and to start a program, for platforms for which
 * there is no Node: values, objects and one promise, but no JavaScript. scripts/foreign.sh adds stubs for all
 * other functions, which end the process with the function's name.
 *
 * usage: load-addon ADDON PROGRAM [ARGUMENT…]
 * Starts the program with a pipe as descriptor 1, and prints its output and its exit code.
 * `load-addon child` is such a program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <node_api.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ITEMS 64

struct napi_value__ {
  napi_valuetype type;
  double number;
  const char *text;
  napi_callback function;
  void *data;      /* of the function */
  uint32_t length; /* of an array, whose items have no names, or the number of properties */
  bool is_array;
  const char *names[MAX_ITEMS];
  napi_value items[MAX_ITEMS];
};
struct napi_env__ {
  void *data;
};
struct napi_callback_info__ {
  size_t count;
  napi_value arguments[1];
  void *data;
};

static void die(const char *what, const char *why) {
  fprintf(stderr, "load-addon: %s%s%s\n", what, why ? ": " : "", why ? why : "");
  exit(1);
}

int missing(const char *name) {
  die("the addon called a function without an implementation", name);
  return 1;
}

/* --- Values ----------------------------------------------------------------------------------- */

static napi_value make(napi_valuetype type) {
  napi_value value = calloc(1, sizeof *value);
  if (!value) die("no memory", NULL);
  value->type = type;
  return value;
}

static napi_value text(const char *string) {
  napi_value value = make(napi_string);
  value->text = string;
  return value;
}

static void add(napi_value object, const char *name, napi_value item) {
  if (object->length == MAX_ITEMS) die("too many properties", name);
  object->names[object->length] = name;
  object->items[object->length++] = item;
}

static napi_value get(napi_value object, const char *name) {
  for (uint32_t i = 0; i < object->length; i++)
    if (object->names[i] && !strcmp(object->names[i], name)) return object->items[i];
  return make(napi_undefined);
}

static napi_value list(size_t count, napi_value *items) {
  napi_value value = make(napi_object);
  value->is_array = true;
  for (size_t i = 0; i < count; i++) add(value, NULL, items[i]);
  return value;
}

/* --- Node-API ------------------------------------------------------------------------------ */

napi_status napi_set_instance_data(napi_env env, void *data, napi_finalize end, void *hint) {
  (void)end, (void)hint;
  env->data = data;
  return napi_ok;
}

napi_status napi_get_instance_data(napi_env env, void **data) {
  *data = env->data;
  return napi_ok;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count,
                             napi_value *values, napi_value *this, void **data) {
  (void)env;
  *this = make(napi_undefined);
  *data = info->data;
  for (size_t i = 0; i < *count; i++)
    values[i] = i < info->count ? info->arguments[i] : make(napi_undefined);
  return napi_ok;
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor *properties) {
  (void)env;
  for (size_t i = 0; i < count; i++) {
    napi_value value = properties[i].value;
    if (!value) {
      value = make(napi_function);
      value->function = properties[i].method;
      value->data = properties[i].data;
    }
    add(object, properties[i].utf8name, value);
  }
  return napi_ok;
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *type) {
  (void)env;
  *type = value->type;
  return napi_ok;
}

napi_status napi_get_undefined(napi_env env, napi_value *value) {
  (void)env;
  *value = make(napi_undefined);
  return napi_ok;
}

napi_status napi_get_null(napi_env env, napi_value *value) {
  (void)env;
  *value = make(napi_null);
  return napi_ok;
}

napi_status napi_get_boolean(napi_env env, bool truth, napi_value *value) {
  (void)env;
  (*value = make(napi_boolean))->number = truth;
  return napi_ok;
}

napi_status napi_create_double(napi_env env, double number, napi_value *value) {
  (void)env;
  (*value = make(napi_number))->number = number;
  return napi_ok;
}

napi_status napi_create_int32(napi_env env, int32_t number, napi_value *value) {
  return napi_create_double(env, number, value);
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *number) {
  (void)env;
  *number = value->number;
  return value->type == napi_number ? napi_ok : napi_number_expected;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t size,
                                       size_t *length) {
  (void)env;
  if (value->type != napi_string) return napi_string_expected;
  *length = strlen(value->text);
  if (buffer) snprintf(buffer, size, "%s", value->text);
  return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value *value) {
  (void)env;
  *value = make(napi_object);
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name,
                                    napi_value value) {
  (void)env;
  add(object, name, value);
  return napi_ok;
}

napi_status napi_get_named_property(napi_env env, napi_value object, const char *name,
                                    napi_value *value) {
  (void)env;
  *value = get(object, name);
  return napi_ok;
}

napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *value) {
  (void)env;
  *value = list(0, NULL);
  (*value)->length = length;
  return length <= MAX_ITEMS ? napi_ok : napi_generic_failure;
}

napi_status napi_is_array(napi_env env, napi_value value, bool *result) {
  (void)env;
  *result = value->is_array;
  return napi_ok;
}

napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *length) {
  (void)env;
  *length = value->length;
  return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  (void)env;
  if (index >= object->length) return napi_generic_failure;
  object->items[index] = value;
  return napi_ok;
}

napi_status napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value *value) {
  (void)env;
  *value = index < object->length ? object->items[index] : make(napi_undefined);
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char *string, size_t length, napi_value *value) {
  (void)env, (void)length;
  *value = text(string);
  return napi_ok;
}

/* --- One promise, which a thread settles --------------------------------------------------- */

static napi_value settled;

struct napi_threadsafe_function__ {
  napi_threadsafe_function_call_js call;
  void *context, *data;
  sem_t called;
};
static struct napi_threadsafe_function__ thread_function;

napi_status napi_create_promise(napi_env env, napi_deferred *deferred, napi_value *promise) {
  *deferred = NULL;
  return napi_create_object(env, promise);
}

napi_status napi_resolve_deferred(napi_env env, napi_deferred deferred, napi_value value) {
  (void)env, (void)deferred;
  settled = value;
  return napi_ok;
}

napi_status napi_create_threadsafe_function(napi_env env, napi_value function, napi_value resource,
                                            napi_value name, size_t most, size_t threads, void *data,
                                            napi_finalize end, void *context,
                                            napi_threadsafe_function_call_js call,
                                            napi_threadsafe_function *result) {
  (void)env, (void)function, (void)resource, (void)name, (void)most, (void)threads, (void)data, (void)end;
  thread_function.call = call;
  thread_function.context = context;
  sem_init(&thread_function.called, 0, 0);
  *result = &thread_function;
  return napi_ok;
}

napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void *data,
                                          napi_threadsafe_function_call_mode mode) {
  (void)mode;
  function->data = data;
  sem_post(&function->called);
  return napi_ok;
}

napi_status napi_release_threadsafe_function(napi_threadsafe_function function,
                                             napi_threadsafe_function_release_mode mode) {
  (void)function, (void)mode;
  return napi_ok;
}

napi_status napi_add_env_cleanup_hook(napi_env env, void (*hook)(void *), void *data) {
  (void)env, (void)hook, (void)data;
  return napi_ok;
}

napi_status napi_remove_env_cleanup_hook(napi_env env, void (*hook)(void *), void *data) {
  (void)env, (void)hook, (void)data;
  return napi_ok;
}

/* --- The caller -------------------------------------------------------------------------- */

static struct napi_env__ env;
static napi_value addon;

static napi_value call(const char *name, napi_value argument) {
  napi_value method = get(addon, name);
  if (method->type != napi_function) die("the addon has no method", name);
  struct napi_callback_info__ info = {argument ? 1 : 0, {argument}, method->data};
  return method->function(&env, &info);
}

static napi_value number(int value) {
  napi_value result;
  napi_create_int32(&env, value, &result);
  return result;
}

static int integer(napi_value value) {
  if (!value || value->type != napi_number) die("not a number", NULL);
  return (int)value->number;
}

int main(int count, char **arguments) {
  if (count == 2 && !strcmp(arguments[1], "child")) return write(1, "hello", 5) == 5 ? 7 : 1;
  if (count < 3) die("usage: load-addon ADDON PROGRAM [ARGUMENT…]", NULL);

  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library) die("dlopen", dlerror());
  napi_value (*start)(napi_env, napi_value) = dlsym(library, "napi_register_module_v1");
  if (!start) die("dlsym", dlerror());
  addon = start(&env, make(napi_object));
  if (!addon) die("the addon threw while it was loaded", NULL);
  if (integer(get(addon, "pageSize")) != sysconf(_SC_PAGESIZE)) die("pageSize is wrong", NULL);

  napi_value pipe = call("pipe", NULL);
  if (!pipe || pipe->length != 2) die("pipe() failed", NULL);
  napi_value words[MAX_ITEMS], request = make(napi_object);
  for (int i = 2; i < count && i < MAX_ITEMS; i++) words[i - 2] = text(arguments[i]);
  napi_value output = list(2, (napi_value[]){number(1), pipe->items[1]});
  add(request, "file", words[0]);
  add(request, "args", list(count - 2, words));
  add(request, "env", list(0, NULL));
  add(request, "descriptors", list(1, &output));
  if (!call("spawn", request)) die("spawn() threw", NULL);
  call("close", pipe->items[1]);
  while (sem_wait(&thread_function.called) < 0);
  thread_function.call(&env, NULL, thread_function.context, thread_function.data);
  napi_value child = settled;
  if (!child || integer(get(child, "pid")) <= 0) die("spawn() was rejected", NULL);

  int end = integer(pipe->items[0]);
  struct pollfd wait = {.fd = integer(get(child, "pidfd")), .events = POLLIN};
  if (poll(&wait, 1, 20000) != 1) die("the child does not exit", NULL);
  char output_text[64] = "";
  if (read(end, output_text, sizeof output_text - 1) < 0)
    die("cannot read the child's output", NULL);
  napi_value status = call("wait", get(child, "pidfd"));
  if (!status) die("wait() failed", NULL);
  printf("%s, exit code %d\n", output_text, integer(get(status, "code")));
  return 0;
}
