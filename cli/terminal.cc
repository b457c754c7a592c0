#include "cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace ordain::cli {
namespace {

int output_error = 0;  // why standard output could first not be written

bool note_failure(bool good) {
  if (!good && output_error == 0) output_error = errno != 0 ? errno : EIO;
  return good;
}

}  // namespace

void prepare_output() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is taken, which is this one. It can be read only, so that writing fails.
    if (fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) != stream) std::_Exit(kUsage);
  }
}

int finish_output(int code) {
  try_flush();
  note_failure(std::ferror(stdout) == 0);
  if (output_error == 0) return code;
  if (output_error != EPIPE) complain(fmt::format("cannot write to standard output: {}", std::strerror(output_error)));
  return kUsage;
}

bool try_write(std::string_view text) {
  errno = 0;
  return note_failure(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool try_flush() {
  errno = 0;
  return note_failure(std::fflush(stdout) == 0);
}

void write_out(std::string_view text) {
  if (!try_write(text)) throw OutputFailure();
}

void write_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

std::string join_with_commas(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (&text != &texts.front()) out += ", ";
    out += text;
  }
  return out;
}

bool wants_colour(std::FILE* stream) { return isatty(fileno(stream)) != 0 && std::getenv("NO_COLOR") == nullptr; }

size_t terminal_width(std::FILE* stream) {
  winsize size{};
  return isatty(fileno(stream)) != 0 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string render_for(std::FILE* stream, const Diagnostics& diagnostics) {
  return render(diagnostics, {.colour = wants_colour(stream), .width = terminal_width(stream)});
}

void complain(const std::string& message) {
  const ReadyText clear_line{isatty(STDERR_FILENO) != 0 ? "\r\033[K" : ""};
  print_error("{}ordain: {}\n", clear_line, message);
}

int fail(const Error& error, ExitCode code) {
  complain(error.message);
  return code;
}

void print(const Diagnostics& diagnostics) { write_error(render_for(stderr, diagnostics)); }

ReadyText coloured(std::string_view text, int colour, bool on) {
  std::string shown = terminal_text(text);
  return {on ? fmt::format("\033[{}m{}\033[0m", colour, shown) : std::move(shown)};
}

}  // namespace ordain::cli
