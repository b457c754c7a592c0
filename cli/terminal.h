// What a command prints, on standard output and standard error, and how it complains.
//
// Texts among the arguments of these functions are made safe for a terminal (`terminal_text`); only
// `ReadyText` is printed as it is. Commands print through nothing else, which a test checks.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "ordain/diagnostic.h"
#include "ordain/result.h"
#include "vm/value/terminal_format.h"

namespace ordain::cli {

using detail::format_for_terminal;
using detail::ForTerminal;
using detail::ReadyText;

/// Standard output cannot be written. Ends the command; `finish_output` says why.
class OutputFailure : public std::runtime_error {
 public:
  OutputFailure() : std::runtime_error("cannot write to standard output") {}
};

/// Prepares for output that cannot be written: a closed pipe is an error like others instead of a signal, and a
/// standard stream that is closed does not lend its number to the next file that is opened.
void prepare_output();
/// Ends the output of a command that would exit with `code`. @returns `code`, or kUsage, after complaining, if standard
/// output could not be written. It does not complain about a closed pipe.
int finish_output(int code);

/// Writes to standard output what is safe already: JSON, exported lines, policy text, graphs.
/// @returns false if it cannot be written
bool try_write(std::string_view text);
/// Hands over what was written. @returns false if it cannot be written
bool try_flush();
/// The same; throws OutputFailure if it cannot be written.
void write_out(std::string_view text);
/// Writes to standard error what is safe already. What cannot be written there is lost.
void write_error(std::string_view text);

/// Prints on standard output. Throws OutputFailure if it cannot be written.
template <typename... Args>
void print_out(fmt::format_string<ForTerminal<Args>...> format, const Args&... args) {
  write_out(format_for_terminal<Args...>(format, args...));
}

/// Prints on standard error.
template <typename... Args>
void print_error(fmt::format_string<ForTerminal<Args>...> format, const Args&... args) {
  write_error(format_for_terminal<Args...>(format, args...));
}

/// The texts with commas between them.
std::string join_with_commas(const std::vector<std::string>& texts);

/// True if `stream` is a terminal that wants colour (NO_COLOR is respected).
bool wants_colour(std::FILE* stream);

/// How many columns the terminal has that `stream` is; 0 if it is not a terminal, or does not say.
size_t terminal_width(std::FILE* stream);

/// Diagnostics as `stream` can show them: in colour where that is wanted, and within its width.
std::string render_for(std::FILE* stream, const Diagnostics& diagnostics);

/// `ordain: message` on standard error, in place of a progress bar. The message becomes one line.
void complain(const std::string& message);

/// Complains of the error. @returns `code`
int fail(const Error& error, ExitCode code = kUsage);

/// Diagnostics on standard error.
void print(const Diagnostics& diagnostics);

/// `text` in one of the terminal's colours if `on`: 31 red, 32 green, 33 yellow, 1 bold.
ReadyText coloured(std::string_view text, int colour, bool on);

}  // namespace ordain::cli
