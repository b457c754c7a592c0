// Starts a command many times in turn with this program itself, which then does nothing, and prints as
// JSON what the command takes beyond that: the least wall time and processor time, and the most memory.
// It is C, and small, because the kernel counts the memory of a process that starts another as that
// one's until the other one runs.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

struct cost {
  double wall, processor;  // seconds
  double memory;           // bytes
};

static double seconds_of(struct timeval time) { return (double)time.tv_sec + 1e-6 * (double)time.tv_usec; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Runs a command with its output thrown away, and keeps the least times and the most memory.
static void start(char* const* command, struct cost* best) {
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  posix_spawn_file_actions_addopen(&silent, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&silent, 2, "/dev/null", O_WRONLY, 0);
  pid_t child;
  int status = 0;
  struct rusage used;
  const double began = now();
  if (posix_spawn(&child, command[0], &silent, NULL, command, environ) != 0 ||
      wait4(child, &status, 0, &used) != child || status != 0) {
    fprintf(stderr, "start_times: %s fails\n", command[0]);
    exit(1);
  }
  const double wall = now() - began, processor = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  if (wall < best->wall) best->wall = wall;
  if (processor < best->processor) best->processor = processor;
  if (1024.0 * (double)used.ru_maxrss > best->memory) best->memory = 1024.0 * (double)used.ru_maxrss;
  posix_spawn_file_actions_destroy(&silent);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "nothing") == 0) return 0;
  if (argc < 3) {
    fprintf(stderr, "Usage: start_times ROUNDS COMMAND [ARGUMENT...]\n");
    return 2;
  }
  char* const nothing[] = {argv[0], "nothing", NULL};
  struct cost empty = {1e9, 1e9, 0}, own = {1e9, 1e9, 0};
  for (int round = atoi(argv[1]); round > 0; --round) {
    start(nothing, &empty);
    start(argv + 2, &own);
  }
  printf("{\"wall\": %.6f, \"processor\": %.6f, \"memory\": %.0f}\n", own.wall - empty.wall,
         own.processor - empty.processor, own.memory);
  return 0;
}
