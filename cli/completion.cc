// ordain completion: prints a script that teaches a shell the commands and options of `ordain`.
#include "cli/command.h"
#include "cli/completion_script.h"
#include "cli/terminal.h"

namespace ordain::cli {
namespace {

int run(const std::string& shell, const CommandShape& root) {
  const std::string script = shell == "bash"  ? bash_completion(root)
                             : shell == "zsh" ? zsh_completion(root)
                                              : fish_completion(root);
  write_out(script);
  return kOk;
}

}  // namespace

void add_completion(Command root) {
  auto shell = std::make_shared<std::string>();
  Command command = root.add_command("completion", "Print a script with which a shell completes commands and options");
  command.add_option("SHELL", *shell, "the shell that reads the script").one_of({"bash", "zsh", "fish"}).required();
  command.set_footer(
      "bash:  source <(ordain completion bash)      in ~/.bashrc\n"
      "zsh:   source <(ordain completion zsh)       in ~/.zshrc, after compinit\n"
      "fish:  ordain completion fish | source       in ~/.config/fish/config.fish");
  command.set_action([shell, root] { return run(*shell, root.shape()); });
}

}  // namespace ordain::cli
