// What the terminal can show, and how a command complains.
#pragma once

#include <cstdio>
#include <string>

#include "cli/command_line.h"
#include "ordain/diagnostic.h"
#include "ordain/result.h"

namespace ordain::cli {

/// True if `stream` is a terminal that wants colour (NO_COLOR is respected).
bool wants_colour(std::FILE* stream);

/// `ordain: message` on standard error, in place of a progress bar.
void complain(const std::string& message);

/// Complains of the error. @returns `code`
int fail(const Error& error, ExitCode code = kUsage);

/// Diagnostics on standard error, in colour where that is wanted.
void print(const Diagnostics& diagnostics);

/// `text` in one of the terminal's colours if `on`: 31 red, 32 green, 33 yellow, 1 bold.
std::string coloured(const std::string& text, int colour, bool on);

}  // namespace ordain::cli
