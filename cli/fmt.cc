// ordain fmt: gives policy files their canonical layout.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "cli/text_diff.h"
#include "compiler/parse/parse.h"
#include "compiler/policy_files.h"
#include "ordain/format.h"

namespace ordain::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> paths;
  bool check = false;
  bool diff = false;
};

constexpr size_t kMostBytes = ParseLimits().source_bytes;

// Reads one byte more than a policy may have, at most; the parser refuses such a text.
std::string read_all(std::istream& stream) {
  std::string text(4096, '\0');
  size_t size = 0;
  while (stream && size <= kMostBytes) {
    if (size == text.size()) text.resize(std::min(2 * text.size(), kMostBytes + 1));
    stream.read(text.data() + size, static_cast<std::streamsize>(text.size() - size));
    size += static_cast<size_t>(stream.gcount());
  }
  text.resize(size);
  return text;
}

Result<std::string> read_policy(const std::string& path) {
  const auto unreadable = [&](const std::string& why) {
    return Error{"unreadable", fmt::format("cannot read {}: {}", path, why)};
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) return unreadable(error.message());
  // Reading a pipe or a device could block or never end.
  if (!fs::is_regular_file(status)) return unreadable("not a regular file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return unreadable(std::strerror(errno));
  std::string text = read_all(stream);
  if (stream.bad()) return unreadable("it cannot be read to its end");
  return text;
}

// --- differences

// On a terminal every character is made visible; elsewhere the lines stay as they are, so that `patch` can use them.
void print_line(const DiffLine& line, bool terminal) {
  const bool ended = line.text.ends_with('\n');
  const std::string text = line.mark + std::string(ended ? line.text.substr(0, line.text.size() - 1) : line.text);
  if (terminal) {
    const int colour = line.mark == '+' ? 32 : 31;
    print_out("{}\n", coloured(text, colour, line.mark != ' ' && wants_colour(stdout)));
  } else {
    write_out(text + "\n");
  }
  if (!ended) write_out("\\ No newline at end of file\n");
}

std::string range_text(size_t line, size_t count) {
  return count == 1 ? fmt::format("{}", line) : fmt::format("{},{}", line, count);
}

void print_difference(const std::string& name, std::string_view before, std::string_view after) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  print_out("--- {}\n+++ {}\n", name, name);
  for (const DiffHunk& hunk : diff_texts(before, after)) {
    print_out("@@ -{} +{} @@\n", range_text(hunk.old_line, hunk.old_count), range_text(hunk.new_line, hunk.new_count));
    for (const DiffLine& line : hunk.lines) print_line(line, terminal);
  }
}

// --- files

// Keeps the worse of two results; the numbers are in that order.
void keep_worse(int& code, int other) { code = std::max(code, other); }

// Formats one text. Diagnostics go to standard error. @returns nullopt after errors
std::optional<std::string> format_text(const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{name, text}));
  std::optional<std::string> out = format_source(diagnostics, 0);
  print(diagnostics);
  return out;
}

// What `--check` and `--diff` say of a text that would change.
int report_change(const Options& options, const std::string& name, std::string_view before, std::string_view after) {
  if (before == after) return kOk;
  if (options.diff) {
    print_difference(name, before, after);
  } else {
    print_out("{}\n", name);
  }
  return kFindings;
}

int format_file(const Options& options, const std::string& path) {
  const Result<std::string> text = read_policy(path);
  if (!text) return fail(text.error());
  const std::optional<std::string> formatted = format_text(path, *text);
  if (!formatted) return kUsage;
  if (options.check || options.diff) return report_change(options, path, *text, *formatted);
  if (*formatted == *text) return kOk;
  if (const Result<void> written = replace_file(path, *formatted); !written) return fail(written.error());
  print_out("{}\n", path);
  return kOk;
}

int format_standard_input(const Options& options) {
  const std::string text = read_all(std::cin);
  if (std::cin.bad()) {
    complain("cannot read standard input to its end");
    return kUsage;
  }
  const std::optional<std::string> formatted = format_text("standard input", text);
  if (!formatted) return kUsage;
  if (options.check || options.diff) return report_change(options, "standard input", text, *formatted);
  write_out(*formatted);
  return kOk;
}

// The files to format, each once. What cannot be searched makes `*code` worse.
std::vector<std::string> files_of(const std::vector<std::string>& paths, int* code) {
  std::vector<std::string> out;
  std::set<std::string> seen;  // by canonical path
  const auto add = [&](const std::string& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    if (seen.insert(error ? path : real.string()).second) out.push_back(path);
  };
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      add(path);
      continue;
    }
    const detail::PolicyFiles found = detail::find_policy_files(path);
    for (const auto& problem : found.problems) {
      complain(fmt::format("cannot read {}: {}", problem.path, problem.why));
      keep_worse(*code, kUsage);
    }
    if (found.files.empty() && found.problems.empty()) {
      complain(fmt::format("no file in {} is called *.policy", path));
    }
    std::for_each(found.files.begin(), found.files.end(), add);
  }
  return out;
}

int run(const Options& options) {
  if (std::find(options.paths.begin(), options.paths.end(), "-") != options.paths.end()) {
    if (options.paths.size() == 1) return format_standard_input(options);
    complain("`-`, standard input, cannot be formatted together with files");
    return kUsage;
  }
  int code = kOk;
  for (const std::string& path : files_of(options.paths, &code)) keep_worse(code, format_file(options, path));
  return code;
}

}  // namespace

void add_fmt(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("fmt", "Give policy files their canonical layout");
  command.add_option("PATH", options->paths, "policy files, directories searched for *.policy, or - for standard input")
      .names_file()
      .required();
  command.add_flag("--check", options->check, "write nothing; print the names of the files that would change");
  command.add_flag("--diff", options->diff, "write nothing; print the changes as a unified diff");
  command.set_footer(
      "Files are rewritten in place, and their names printed; standard input goes to standard output. A file with\n"
      "syntax errors stays as it is. No rule changes its meaning or its digest.\n"
      "Exit codes: 0 formatted, 1 something would change (--check, --diff), 2 wrong usage, syntax errors, unreadable "
      "or\n"
      "unwritable files.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
