// A game loop that calls a script each frame. The script gets the world's structs by value, holds
// the engine's objects as opaque handles, and a long job of it goes on over several frames: it
// waits for an answer of the host without stopping the game.
#include <skerry/skerry.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  float x, y;
} Vec;

typedef struct {
  char name[16];
  Vec position, velocity;
} Sprite;

static const char script[] =
    "import host.game { Vec, Sprite, spawn, position, move, download }\n"
    "class World { var ball: Sprite? = null; var velocity: Vec = Vec(3.0, 1.0); var bounces: int = "
    "0 }\n"
    "let world = World()\n"
    "pub fn start() throws { world.ball = try spawn(\"ball\", Vec(0.0, 0.0)) }\n"
    "pub fn update(dt: float) -> Vec {\n"
    "  let ball = world.ball!\n"
    "  let at = position(ball)\n"
    "  let v = world.velocity\n"
    "  if at.x + v.x * dt > 10.0 || at.x + v.x * dt < 0.0 {\n"
    "    world.velocity = Vec(-v.x, v.y)\n"
    "    world.bounces += 1\n"
    "  }\n"
    "  move(ball, Vec(at.x + world.velocity.x * dt, at.y + world.velocity.y * dt))\n"
    "  return position(ball)\n"
    "}\n"
    "pub fn bounces() -> int => world.bounces\n"
    "pub fn loadLevel(name: string) throws -> int {\n"
    "  let first = try download(\"${name}/map\")\n"
    "  let second = try download(\"${name}/music\")\n"
    "  return first.len() + second.len()\n"
    "}\n";

static int live_sprites;

static void sprite_delete(void *sprite, void *user) {
  (void)user;
  live_sprites--;
  free(sprite);
}

static SkerryStatus game_spawn(SkerryCall *call, void *user) {
  (void)user;
  const char *name = skerry_arg_string(call, 0, NULL);
  if (strlen(name) > 15) return skerry_throw(call, "the name is too long");
  Sprite *sprite = calloc(1, sizeof *sprite);
  if (!sprite) return skerry_fault(call, "out of memory");
  strcpy(sprite->name, name);
  skerry_arg_struct(call, 1, &sprite->position, sizeof sprite->position);
  live_sprites++;
  return skerry_return(call, skerry_object(sprite));
}

static SkerryStatus game_position(SkerryCall *call, void *user) {
  (void)user;
  Sprite *sprite = skerry_arg_object(call, 0);
  return skerry_return(call, skerry_struct(&sprite->position));
}

static SkerryStatus game_move(SkerryCall *call, void *user) {
  (void)user;
  Sprite *sprite = skerry_arg_object(call, 0);
  skerry_arg_struct(call, 1, &sprite->position, sizeof sprite->position);
  return SKERRY_OK;
}

// Starts the download; the answer comes in a later frame.
static SkerryStatus game_download(SkerryCall *call, void *user) {
  char *wanted = user;
  snprintf(wanted, 64, "%s", skerry_arg_string(call, 0, NULL));
  return SKERRY_PENDING;
}

static SkerryEngine *engine_new(char *wanted) {
  static const SkerryField vec[] = {{"x", "f32", offsetof(Vec, x)}, {"y", "f32", offsetof(Vec, y)}};
  SkerryEngine *engine = skerry_engine_new();
  if (!engine || skerry_engine_struct(engine, "game", "Vec", sizeof(Vec), vec, 2) ||
      skerry_engine_class(engine, "game", "Sprite", sprite_delete, NULL) ||
      skerry_engine_bind(engine, "game", "fn spawn(name: string, at: Vec) throws -> Sprite",
                         game_spawn, NULL) ||
      skerry_engine_bind(engine, "game", "fn position(s: Sprite) -> Vec", game_position, NULL) ||
      skerry_engine_bind(engine, "game", "fn move(s: Sprite, to: Vec)", game_move, NULL) ||
      skerry_engine_bind(engine, "game", "fn download(url: string) throws -> string", game_download,
                         wanted)) {
    fprintf(stderr, "%s\n", engine ? skerry_engine_message(engine) : "out of memory");
    exit(1);
  }
  return engine;
}

static const SkerryFunction *find(const SkerryProgram *program, const char *signature) {
  const SkerryFunction *function = NULL;
  SkerryText message = {0};
  if (skerry_program_find(program, signature, &function, &message) == SKERRY_OK) return function;
  fprintf(stderr, "%s\n", message.data);
  exit(1);
}

static void check(SkerryVM *vm, SkerryStatus status) {
  if (status == SKERRY_OK) return;
  fprintf(stderr, "%s: %s\n", skerry_status_name(status), skerry_vm_failure(vm)->message);
  exit(1);
}

int main(void) {
  char wanted[64] = "";
  SkerryEngine *engine = engine_new(wanted);
  SkerryLoadOptions options = {.engine = engine};
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("game.sk", script, strlen(script), &options, &program, &messages)) {
    fputs(messages.data, stderr);
    return 1;
  }
  // Two VMs: what waits in one does not keep the other from its frame.
  SkerryVM *vm = NULL, *loader = NULL;
  if (skerry_vm_new(program, NULL, &vm, NULL) || skerry_vm_new(program, NULL, &loader, NULL))
    return 1;
  check(vm, skerry_vm_run(vm));
  check(loader, skerry_vm_run(loader));
  check(vm, skerry_vm_call(vm, find(program, "fn start() throws"), NULL, 0, NULL));
  const SkerryFunction *update = find(program, "fn update(dt: float) -> Vec");
  SkerryValue level = skerry_string("island"), result;
  SkerryStatus loading = skerry_vm_call(loader, find(program, "loadLevel"), &level, 1, &result);
  for (int frame = 0; frame < 600; frame++) {
    SkerryValue dt = skerry_float(1.0 / 60), at;
    check(vm, skerry_vm_call(vm, update, &dt, 1, &at));
    const Vec *position = at.as.memory;
    if (frame % 150 == 0) printf("frame %d: ball at %.2f, %.2f\n", frame, position->x, position->y);
    if (loading == SKERRY_PENDING && frame % 100 == 50) {
      printf("frame %d: %s has arrived\n", frame, wanted);
      SkerryValue answer = skerry_string("........");
      loading = skerry_vm_resume(loader, &answer, &result);
      if (loading == SKERRY_OK) printf("frame %d: level of %d bytes\n", frame, (int)result.as.i);
    }
  }
  check(vm, skerry_vm_call(vm, find(program, "fn bounces() -> int"), NULL, 0, &result));
  printf("%d bounces, %d sprite\n", (int)result.as.i, live_sprites);
  skerry_vm_delete(vm);
  skerry_vm_delete(loader);
  printf("%d sprites\n", live_sprites);
  skerry_program_delete(program);
  skerry_engine_delete(engine);
}
