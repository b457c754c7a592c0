// ordain compile: writes policies as a serialised program, which every command that decides accepts in their place.
#include "ordain/compile.h"

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/digest.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string output;
};

int run(const Options& options) {
  const Compilation compilation = compile(options.paths, standard_library());
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  const Program& program = *compilation.program;
  const std::string bytes = program.serialise();
  if (const auto written = write_file(options.output, bytes); !written) {
    complain(written.error().message);
    return kUsage;
  }
  print_out("{}: {}, {}, {}\ndigest {}\n", options.output, count_text(program.files().size(), "file"),
            count_text(program.rules().size(), "rule"), count_text(bytes.size(), "byte"), to_hex(program.digest()));
  return kOk;
}

}  // namespace

void add_compile(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("compile", "Write policies as a compiled program, which loads faster");
  add_policy_paths(command, options->paths);
  command.add_option("-o,--output", options->output, "write the program here").names_file().required();
  command.set_footer(
      "`ordain eval --policies FILE` and every other command that decides take the program in place of the policies;\n"
      "so do load_policies and ordain_open. It serves this version's program format alone: see `ordain --version`.\n"
      "Tests are not part of it. The same policies give the same bytes, and so the same digest.\n"
      "Exit codes: 0 written, 2 policies with errors, wrong usage, or the program cannot be written.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
