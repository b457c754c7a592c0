#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace ordain::cli {

bool wants_colour(std::FILE* stream) { return isatty(fileno(stream)) != 0 && std::getenv("NO_COLOR") == nullptr; }

void complain(const std::string& message) {
  const char* clear_line = isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  fmt::print(stderr, "{}ordain: {}\n", clear_line, message);
}

int fail(const Error& error, ExitCode code) {
  complain(error.message);
  return code;
}

void print(const Diagnostics& diagnostics) {
  const std::string text = render(diagnostics, {.colour = wants_colour(stderr)});
  std::fputs(text.c_str(), stderr);
}

std::string coloured(const std::string& text, int colour, bool on) {
  return on ? fmt::format("\033[{}m{}\033[0m", colour, text) : text;
}

}  // namespace ordain::cli
