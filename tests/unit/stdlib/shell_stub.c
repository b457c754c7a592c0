/* The program that random shell lines run in tests: it appends its name and arguments to the file
   named by ORDAIN_LOG, with the number of the line from ORDAIN_LINE, and does nothing else. Its
   exit status varies, so that both branches of `&&` and `||` run and loops end. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static char record[4096];
  size_t size = 0;
  const char* log = getenv("ORDAIN_LOG");
  const char* line = getenv("ORDAIN_LINE");
  const char* slash = strrchr(argv[0], '/');
  if (log == NULL || line == NULL) return 1;
  for (int i = -1; i < argc; ++i) {
    const char* part = i < 0 ? line : i > 0 ? argv[i] : slash != NULL ? slash + 1 : argv[0];
    size_t length = strlen(part);
    if (size + length + 2 > sizeof(record)) return 1;
    memcpy(record + size, part, length);
    size += length;
    record[size++] = i + 1 < argc ? '\x1f' : '\x1e';
  }
  int file = open(log, O_WRONLY | O_APPEND);
  if (file < 0 || write(file, record, size) != (ssize_t)size) return 1;
  return getpid() % 2;
}
