// These tests cover the functions that read shell lines. Each table holds one rule of the reading,
// with the lines that once broke it.
#include <gtest/gtest.h>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

std::string commands(std::string_view line) { return call("shell.commands", {S(line)}); }
std::string words(std::string_view line) { return call("shell.split", {S(line)}); }
std::string programs(std::string_view line) { return call("shell.programs", {S(line)}); }
std::string reads(std::string_view line) { return call("shell.reads", {S(line)}); }
std::string writes(std::string_view line) { return call("shell.writes", {S(line)}); }

struct Row {
  std::string_view line, expected;
};

void expect_rows(std::string (*function)(std::string_view), std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(function(row.line), row.expected) << row.line;
}
void expect_faults(std::string (*function)(std::string_view), std::initializer_list<std::string_view> lines) {
  for (std::string_view line : lines) EXPECT_EQ(function(line), "!invalid_argument") << line;
}

TEST(Shell, SimpleCommands) {
  expect_rows(commands, {
                            {"ls -l", R"(["ls -l"])"},
                            {"", "[]"},
                            {"a; b && c || d | e & f\ng", R"(["a", "b", "c", "d", "e", "f", "g"])"},
                            {"echo 'a; b' \"c && d\" e\\;f", R"(["echo 'a; b' "c && d" e\;f"])"},
                            {"echo $(rm -rf /) x", R"(["echo $(rm -rf /) x", "rm -rf /"])"},
                            {"echo \"$(rm x; ls)\"", R"x(["echo "$(rm x; ls)"", "rm x", "ls"])x"},
                            {"echo `rm x`", R"(["echo `rm x`", "rm x"])"},
                            {"diff <(ls a) >(tee b)", R"x(["diff <(ls a) >(tee b)", "ls a", "tee b"])x"},
                            {"(cd x; rm y)", R"(["cd x", "rm y"])"},
                            {"make 2>&1 >| log", R"(["make 2>&1 >| log"])"},
                            {"ls # all of it\nrm x", R"(["ls", "rm x"])"},
                            {"ls ${HOME}/x", R"(["ls ${HOME}/x"])"},
                            {"A=1 rm x", R"(["A=1 rm x"])"},
                            {"echo $((1 + 2))", R"x(["echo $((1 + 2))"])x"},
                            {"$(rm x)y=1", "!invalid_argument"},
                        });
}

TEST(Shell, CommentsBeginWhereATokenBegins) {
  expect_rows(commands, {
                            {"echo hi # c ; curl x", R"(["echo hi"])"},
                            {"echo a#b ; curl x", R"(["echo a#b", "curl x"])"},
                            {"echo \\ #; curl x", R"(["echo \ #", "curl x"])"},
                            {"echo a\\;#; curl x", R"(["echo a\;#", "curl x"])"},
                            {"echo a\\\n#; curl x", "[\"echo a\\\n#\", \"curl x\"]"},
                            {"echo a\\&#; curl x", R"(["echo a\&#", "curl x"])"},
                            {"echo \\\\#; curl x", R"(["echo \\#", "curl x"])"},
                            {"echo $(ls)#; curl x", R"x(["echo $(ls)#", "ls", "curl x"])x"},
                            {"echo `ls`#; curl x", R"(["echo `ls`#", "ls", "curl x"])"},
                            {"echo ''#; curl x", R"(["echo ''#", "curl x"])"},
                            {"(ls)#; curl x", R"(["ls"])"},
                            {"ls;#; curl x\nrm y", R"(["ls", "rm y"])"},
                            {"echo \xC2\xA0#; curl x", "[\"echo \xC2\xA0#\", \"curl x\"]"},
                        });
  expect_faults(commands, {"ls # don't\nrm x", "echo \\\n#; curl x", "echo >#x", "echo \r#; curl x",
                           "echo a\r#; curl x", "echo \v#; curl x", "echo \\\r#; curl x", "echo \f#; curl x"});
}

TEST(Shell, OperatorsAreTokens) {
  expect_rows(commands, {
                            {"echo a\\>& curl x", R"(["echo a\>", "curl x"])"},
                            {"echo a\\<& curl x", R"(["echo a\<", "curl x"])"},
                            {"echo a\\>| curl x", R"(["echo a\>", "curl x"])"},
                            {"echo '>'& curl x", R"(["echo '>'", "curl x"])"},
                            {"echo 2>&1| curl x", R"(["echo 2>&1", "curl x"])"},
                            {"echo x >f& curl x", R"(["echo x >f", "curl x"])"},
                            {"make |& tee log", R"(["make", "tee log"])"},
                            {"make &>log", R"(["make &>log"])"},
                            {"make &>log && ls", R"(["make &>log", "ls"])"},
                            {"cat <<<x", R"(["cat <<<x"])"},
                            {"ls \\\n  -l \\\n  && rm x", "[\"ls \\\n  -l\", \"rm x\"]"},
                        });
  expect_faults(commands,
                {"echo x >\r& curl x", "echo a &>f rm x", "echo a &\\\n& rm x", "echo >\\\n& rm", "cat <<EOF\nx\nEOF",
                 "cat <\\\n<EOF", "echo {x}>f", "echo >&-rm x", "echo <&\\\n-rm x", "10>f rm x", "2\\\n>f rm",
                 "ls |\\\n| rm", "echo $\\\n(rm x)", "echo \"$\\\n(rm x)\"", "2>(rm x)", "a=(rm x)", "ls @(a|b)"});
}

TEST(Shell, ReservedWords) {
  expect_rows(commands, {
                            {"{ rm x; }", R"(["rm x"])"},
                            {"{\\\n rm x; }", R"(["rm x"])"},
                            {"{\trm x; }", R"(["rm x"])"},
                            {"if true; then rm x; fi", R"(["true", "rm x"])"},
                            {"if true; then\trm x; fi", R"(["true", "rm x"])"},
                            {"if true; then\\\n rm x; fi", R"(["true", "rm x"])"},
                            {"if true; th\\\nen rm x; fi", R"(["true", "rm x"])"},
                            {"while rm x; do break; done", R"(["rm x", "break"])"},
                            {"! rm x", R"(["rm x"])"},
                            {"!\trm x", R"(["rm x"])"},
                            {"time rm x", R"(["rm x"])"},
                            {"time -p rm x", R"(["rm x"])"},
                            {"time -p -- rm x", R"(["rm x"])"},
                            {"time\\\n rm x", R"(["rm x"])"},
                            {"for f in a b; do rm $f; done", R"(["for f in a b", "rm $f"])"},
                            {"for f do rm x; done", R"(["for f", "rm x"])"},
                            {"for f\ndo rm x; done", R"(["for f", "rm x"])"},
                            {"f() { rm x; }", R"(["rm x"])"},
                            {"'if' rm x", R"(["'if' rm x"])"},
                            {">f if rm x", R"([">f if rm x"])"},
                            {"\\\nrm x", R"(["rm x"])"},
                        });
  expect_faults(commands,
                {"function f { rm x; }", "function\tf { rm x; }", "coproc rm x", "coproc\trm x", "coproc\\\n rm x",
                 "case x in x) rm y;; esac", "select x in a; do rm y; done", "[[ a < b ]]", "time -f rm x",
                 "time '-p' rm x", "time -p -p rm x", "for 'x' in a; do rm x; done", "((rm x))"});
}

TEST(Shell, WhatShellsReadDifferentlyIsAFault) {
  expect_faults(commands,
                {"echo 'a", "echo \"a", "echo $(ls", "echo `ls", "ls)", "cat <<EOF\n'\nEOF\nrm x\n#'", "echo $'a\\'b'",
                 "$\"rm\" x", "echo ${x:-'a'}", "echo `a \\`rm x\\``", "echo `echo '`rm x`'`", "ls \\",
                 "echo ${ rm x; }", "echo ${x", "echo $[1]", "echo a\x01", "echo 'a\x7f'"});
  EXPECT_EQ(commands(std::string(1000, '(')), "!invalid_argument");
  EXPECT_EQ(commands(std::string_view("ls\0rm", 5)), "!invalid_argument");
}

TEST(Shell, WhatTheWordsDoNotNameIsAFault) {
  expect_faults(commands,
                {"$x y", "\"$x\" y", "x=rm; $x y", "$(echo rm) y", "`echo rm` y", "/bin/r? y", "{rm,y}", "r{m,n}",
                 "~ y", "command $x", "builtin eval 'rm x'", "command -p eval 'rm x'", "exec $x", "eval 'rm x'",
                 "e'v'al x", "alias ls=rm\nls x", "trap 'rm x' EXIT", "hash -p /bin/rm ls", "compgen -W '$(rm x)'"});
  // bash evaluates an index in the name of a variable, the values in arithmetic, and some values.
  expect_faults(commands, {"echo $((x))",
                           "echo $((a[$(rm x)]))",
                           "echo ${x:y}",
                           "echo ${!x}",
                           "echo ${x@P}",
                           "echo ${a[i]}",
                           "unset 'a[$(rm x)]'",
                           "read 'a[$(rm x)]'",
                           "test -v 'a[$(rm x)]'",
                           "[ -v x ]",
                           "[ $x = y ]",
                           "[ \"$x\" \"$y\" ]",
                           "printf -v 'a[$(rm x)]' y",
                           "export \"$x\"",
                           "declare -i x",
                           "declare -a 'x=($(rm y))'",
                           "PS4='$(rm x)'; set -x; ls",
                           "export PS4='$(rm x)'",
                           "BASH_ENV=x bash y",
                           "for PS4 in x; do ls; done",
                           "wait -p 'a[$(rm x)]'",
                           "let 'a[$(rm x)]'",
                           "echo ${PS4:=x}"});
  expect_rows(commands,
              {
                  {"~/bin/x y", R"(["~/bin/x y"])"},
                  {"command -v rm", R"(["command -v rm"])"},
                  {"[ -f x ] && [ \"$x\" = y ] && [ $# -gt 0 ]", R"(["[ -f x ]", "[ "$x" = y ]", "[ $# -gt 0 ]"])"},
                  {"export A=1 PATH=\"$PATH:x\"", R"(["export A=1 PATH="$PATH:x""])"},
                  {"printf '%s\\n' \"$x\"", R"(["printf '%s\n' "$x""])"},
                  {"source venv/bin/activate", R"(["source venv/bin/activate"])"},
              });
}

TEST(Shell, Words) {
  expect_rows(words, {
                         {"rm  -rf\t/", R"(["rm", "-rf", "/"])"},
                         {"", "[]"},
                         {"r'm' \"a b\"c '' d\\ e", R"(["rm", "a bc", "", "d e"])"},
                         {"x\"a\\\"b\\x\" $HOME", R"(["xa"b\x", "$HOME"])"},
                         {"r\\\nm x", R"(["rm", "x"])"},
                         {"echo $(ls -l) x", R"x(["echo", "$(ls -l)", "x"])x"},
                         {"echo \"$(ls \"a b\")\" x", R"x(["echo", "$(ls "a b")", "x"])x"},
                         {"make 2>&1", R"(["make", "2>&1"])"},
                         {"ls # x", R"(["ls"])"},
                         {"for f in a b", R"(["for", "f", "in", "a", "b"])"},
                     });
  expect_faults(words, {"a; b", "a 'b", "a\nb", "(a)", "if a", "time a", "a &", "cat {a,b}", "cat {a..c}"});
}

TEST(Shell, AssignmentsAndRedirectionsFollowTheWords) {
  expect_rows(words, {
                         {"A=1 rm x", R"(["rm", "x", "A=1"])"},
                         {"2>/dev/null sudo rm x", R"(["sudo", "rm", "x", "2>/dev/null"])"},
                         {"A=1 B='2 3' >f rm <'g h'", R"x(["rm", "A=1", "B=2 3", ">f", "<g h"])x"},
                         {"A=1", R"(["A=1"])"},
                         {"> f", R"([">f"])"},
                         {"rm A=1", R"(["rm", "A=1"])"},
                         {"'A'=1 rm", R"(["A=1", "rm"])"},
                         {"git status > /etc/x", R"(["git", "status", ">/etc/x"])"},
                         {"make &>log", R"(["make", "&>log"])"},
                     });
  // These change which program a name stands for.
  expect_faults(words, {"PATH=/x ls", "LD_PRELOAD=x ls", "A+=1 ls"});
}

TEST(Shell, Programs) {
  expect_rows(programs, {
                            {"ls | grep x", R"(["ls", "grep"])"},
                            {"/bin/rm x", R"(["/bin/rm", "rm"])"},
                            {"A=1 >f rm x", R"(["rm"])"},
                            {"sudo rm x", R"(["sudo", "rm"])"},
                            {"sudo -u root -n -- rm x", R"(["sudo", "rm"])"},
                            {"sudo --user=root env -i A=1 -u B rm", R"(["sudo", "env", "-u"])"},
                            {"env -i -u B A=1 C=$x rm x", "!invalid_argument"},
                            {"env -i -u B A=1 C=\"$x\" rm x", R"(["env", "rm"])"},
                            {"timeout -s KILL 5 nice -n 5 nohup rm x", R"(["timeout", "nice", "nohup", "rm"])"},
                            {"nice -10 rm", R"(["nice", "rm"])"},
                            {"xargs -0 -n1 rm -f", R"(["xargs", "rm"])"},
                            {"xargs", R"(["xargs", "echo"])"},
                            {"xargs -I{} rm {}", R"(["xargs", "rm"])"},
                            {"sh -c 'rm x; ls'", R"(["sh", "rm", "ls"])"},
                            {"bash -ec \"sudo rm x\"", R"(["bash", "sudo", "rm"])"},
                            {"bash -o pipefail -ec 'rm x' y", R"(["bash", "rm"])"},
                            {"sh x.sh", R"(["sh"])"},
                            {"command rm x", R"(["command", "rm"])"},
                            {"command -v rm", R"(["command"])"},
                            {"exec -a x rm", R"(["exec", "rm"])"},
                            {"find . -name x -exec rm {} \\; -print", R"(["find", "rm"])"},
                            {"find . -exec sh -c 'rm \"$1\"' _ {} +", R"(["find", "sh", "rm"])"},
                            {"time rm x", R"(["time", "rm"])"},
                            {"\\time -f x rm x", R"(["time", "rm"])"},
                            {"echo $(rm x)", R"(["rm", "echo"])"},
                            {"for f in a; do rm x; done", R"(["rm"])"},
                            {"busybox rm x", R"(["busybox", "rm"])"},
                        });
  expect_faults(programs, {"sudo $x",
                           "sudo -Z rm",
                           "sudo -s",
                           "env -S 'rm x'",
                           "env PATH=/x ls",
                           "PATH=/x ls",
                           "sh -c \"$x\"",
                           "sh -c \"rm $x\"",
                           "sh $x",
                           "sh -c",
                           "sh -c 'eval x'",
                           "xargs -I{} {}",
                           "xargs -I{} sh -c 'rm {}'",
                           "xargs env",
                           "xargs sudo",
                           "timeout $x rm",
                           "su -c 'rm x'",
                           "ssh host rm",
                           "zsh -c 'rm x'",
                           "find . -exec {} \\;",
                           "find $x",
                           "flock f rm x",
                           "PATH=/x; ls",
                           "export PATH=/x; ls",
                           "for PATH in /x; do ls; done",
                           "read PATH <f; ls",
                           "sudo {rm,x}",
                           "nice --us=1 rm",
                           "/usr/bin/env -S rm"});
}

// Whatever a computed word may become, it must not change which program is run.
TEST(Shell, ComputedWordsOfFind) {
  expect_faults(programs, {"x=-exec; find . \"$x\" touch pwn {} +",
                           "find . \"$(echo -exec)\" rm \\;",
                           "busybox find . \"$x\" rm \\;",
                           "find \"$x\" rm \\;",
                           ": > -exec; find . -exe? touch pwn \";\"",
                           "find . -exe*",
                           "find . [-]exec",
                           "find ? ???? rm \\;",
                           "find *",
                           "find . -\"$x\" rm \\;",
                           "find . -size \"$x\" \"$y\" rm \\;",
                           "find . -nosuch -name \"$x\" rm \\;",
                           "find . -newer -exec rm \\;",
                           "find . -exec a \"$x\" \"$y\" rm \\;",
                           "find . -exec a \"$x\" -exec rm \\; \\;",
                           "find . -exec a \"$x\" \\; -name \"$y\" rm \\;",
                           "find . -exec env -u + rm \\;",
                           "find . -exec a * \\;",
                           "HOME=-exec; find . ~ rm \\;",
                           "f() { find . ~ rm \\;; }; HOME=-exec; f",
                           "find . -exec sh {} \\;",
                           "gfind . \"$x\" rm \\;"});
  expect_rows(programs, {
                            {"find . -name \"$x\"", R"(["find"])"},
                            {"find ./* src/* -name '*.c'", R"(["find"])"},
                            {"find \"src/$x\" -print", R"(["find"])"},
                            {"find ~ -name x", R"(["find"])"},
                            {"find . -exec grep \"$x\" {} \\;", R"(["find", "grep"])"},
                            {"find . -exec rm {} + -exec touch x \\;", R"(["find", "rm", "touch"])"},
                            {"find . -exec find x -exec rm {} \\; \\;", R"(["find", "find", "rm"])"},
                            {"gfind . -exec rm {} +", R"(["gfind", "rm"])"},
                        });
}

TEST(Shell, ComputedWordsBeforeAProgram) {
  for (std::string runner : {"env",
                             "sudo",
                             "doas",
                             "timeout",
                             "nice",
                             "ionice",
                             "nohup",
                             "setsid",
                             "stdbuf",
                             "\\time",
                             "xargs",
                             "busybox",
                             "toybox",
                             "genv",
                             "gtimeout",
                             "gxargs",
                             "gnice",
                             "gstdbuf",
                             "busybox timeout",
                             "find . -exec timeout",
                             "busybox.static timeout"}) {
    for (std::string word : {"\"$x\"", "\"$(echo -v)\"", "\"-$x\"", "--\"$x\"", "-?", "\"`x`\""}) {
      const std::string line = runner + " " + word + " 5 rm \\;";
      EXPECT_EQ(programs(line), "!invalid_argument") << line;
    }
  }
  expect_faults(programs,
                {"timeout -s KILL \"$x\" 5 rm", "find . -exec timeout {} 5 rm \\;", "xargs -I{} timeout {} 5 rm",
                 "xargs -I X xargs -I Y X", "xargs -I ~ rm", "HOME=-u; sudo ~/x rm"});
  expect_rows(programs, {
                            {"timeout -- \"$x\" rm", R"(["timeout", "rm"])"},
                            {"timeout \"5$x\" rm", R"(["timeout", "rm"])"},
                            {"sudo -u \"$x\" rm", R"(["sudo", "rm"])"},
                            {"sudo A=1 -u root rm x", R"(["sudo", "rm"])"},
                            {"xargs --max-lines rm x", R"(["xargs", "rm"])"},
                            {"gtimeout 5 genv rm", R"(["gtimeout", "genv", "rm"])"},
                        });
}

TEST(Shell, EnvTakesEveryWordWithAnEqualsSign) {
  expect_faults(programs,
                {"env 'BASH_FUNC_ls%%=() { touch pwn; }' bash -c ls", "env BASH_ENV=x bash -c ls", "env ENV=x sh -c ls",
                 "env LD_PRELOAD=x ls", "env a-b=c PATH=x ls", "env HOME=x bash -c ls", "sudo -- A=1 rm"});
  expect_rows(programs, {
                            {"env a-b=c rm", R"(["env", "rm"])"},
                            {"env '1 2=c' A=1 rm", R"(["env", "rm"])"},
                        });
}

TEST(Shell, XargsCompletesNoProgramThatRunsOthers) {
  expect_faults(programs,
                {"ls | xargs find", "xargs xargs", "xargs bash", "xargs sh", "xargs -I{} find {}", "xargs -I{} bash {}",
                 "xargs -I{} bash -c {}", "xargs -a f xargs", "xargs find . -name", "xargs sh -x", "xargs timeout 5",
                 "xargs nice -n 5", "xargs ip", "xargs gfind", "xargs zsh"});
  expect_rows(programs, {
                            {"xargs sh -c 'rm \"$@\"' _", R"(["xargs", "sh", "rm"])"},
                            {"xargs sudo rm", R"(["xargs", "sudo", "rm"])"},
                        });
}

TEST(Shell, OptionsOfShells) {
  expect_faults(programs, {"bash -l", "bash --login", "bash -i", "bash -lc ls", "bash -ic ls", "HOME=x bash -c ls",
                           "export HOME=x; bash -c ls", "BASH_ENV=x bash -c ls", "bash -kc ls", "bash -o keyword -c ls",
                           "bash -verbose -c 'rm x'", "bash -c + 'rm x'", "sh -- \"$x\"", "bash -rcfile f -c ls"});
  expect_rows(programs, {
                            {"bash -c - 'rm x'", R"(["bash", "rm"])"},
                            {"bash -euo pipefail -c 'rm x'", R"(["bash", "rm"])"},
                        });
}

TEST(Shell, ProgramsThatAreRefused) {
  for (std::string name :
       {"bash5.2",      "bash3",       "bash-5.2",      "posh",     "lksh",        "sh.distrib", "ksh93",
        "s6-setuidgid", "setlock",     "nsjail",        "chronic",  "ifne",        "pee",        "socat",
        "tmux",         "screen",      "watch",         "taskset",  "chrt",        "ccache",     "eatmydata",
        "gchroot",      "fish",        "strace",        "zsh",      "/opt/bash3",  "ip -b",      "nc -e",
        "ncat -c",      "ncat --exec", "ip netns exec", "ip net e", "ip vrf exec", "nc -lve",    "ip \"$x\""}) {
    EXPECT_EQ(programs(name + " x rm"), "!invalid_argument") << name;
  }
  expect_rows(programs, {
                            {"ip -br addr", R"(["ip"])"},
                            {"nc -z host 80", R"(["nc"])"},
                            {"./script.sh x", R"(["./script.sh", "script.sh"])"},
                        });
}

TEST(Shell, TildesInRedirectionsAreComputed) {
  for (std::string target : {"~", "~/x", "~root", "~root/x", "~+", "~-", "a=~/x", "a=b:~/x"}) {
    EXPECT_EQ(writes("ls >" + target), "!invalid_argument") << target;
    EXPECT_EQ(reads("ls <" + target), "!invalid_argument") << target;
  }
  expect_rows(writes, {
                          {"ls >'~'", R"(["~"])"},
                          {"ls >a~", R"(["a~"])"},
                          {"ls >\\~/x", R"(["~/x"])"},
                      });
}

TEST(Shell, NestedFindsCostNoMoreThanTheirLength) {
  Limits limits;
  limits.memory = 100'000'000;
  limits.cost = 100'000'000;
  std::string line;
  for (int i = 0; i < 14; ++i) line += "find . -exec ";
  for (int i = 0; i < 5'000; ++i) line += "x ";
  EXPECT_TRUE(call("shell.programs", {S(line)}, limits).ends_with("\"find\", \"x\"]"));
}

TEST(Shell, ReadsAndWrites) {
  expect_rows(writes, {
                          {"ls", "[]"},
                          {"ls >f 2>>'g h' <i", R"(["f", "g h"])"},
                          {"ls >f; (rm x >| g) 2>&1", R"(["f", "g"])"},
                          {"ls &>f", R"(["f"])"},
                          {"ls >&f", R"(["f"])"},
                          {"ls >&2 2>&-", "[]"},
                          {"cat <>f", R"(["f"])"},
                          {"echo $(ls >f)", R"(["f"])"},
                          {"sh -c 'ls >f'", R"(["f"])"},
                          {"> /etc/passwd", R"(["/etc/passwd"])"},
                          {"{ ls; } >f", R"(["f"])"},
                          {"ls > >(tee g >f)", R"(["f"])"},
                      });
  expect_rows(reads, {
                         {"cat <f >g 3<>h", R"(["f", "h"])"},
                         {"cat <<<x <&3", "[]"},
                         {"echo $(<f)", R"(["f"])"},
                     });
  expect_faults(writes, {"ls >$x", "ls >\"$x\"", "ls >f*", "ls >{a,b}", "ls >$(ls)", "$x >f", "ls >"});
  EXPECT_EQ(reads("cat <$x"), "!invalid_argument");
  EXPECT_EQ(writes("cat <$x"), "[]");
}

TEST(Shell, LinesWithinLinesAreBounded) {
  const auto within = [](int depth) {
    std::string line = "rm";
    for (; depth > 0; --depth) {
      std::string quoted;
      for (char c : line) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      line = "sh -c '" + quoted + "'";
    }
    return line;
  };
  EXPECT_EQ(programs(within(3)), R"(["sh", "sh", "sh", "rm"])");
  EXPECT_EQ(programs(within(4)), "!invalid_argument");
  EXPECT_EQ(programs(within(3) + "; " + within(3)), R"(["sh", "sh", "sh", "rm", "sh", "sh", "sh", "rm"])");
}

TEST(Shell, LongLines) {
  Limits limits;
  limits.memory = 100'000'000;
  limits.cost = 100'000'000;
  std::string deep = "ls";
  for (int i = 0; i < 45; ++i) deep = "echo \"$(" + deep + ")\"";
  EXPECT_TRUE(call("shell.commands", {S(deep)}, limits).starts_with("[\"echo"));
  EXPECT_EQ(call("shell.commands", {S(std::string(200'000, ';'))}, limits), "[]");
}

}  // namespace
}  // namespace ordain::testing
