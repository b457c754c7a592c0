# Prints what zsh offers for the end of a line, one candidate on each line:
# zsh complete.zsh ORDAIN LINE
# Completion works only in an interactive shell, so this runs one on a pseudo-terminal. Its compadd
# prints the candidates that it is given.
zmodload zsh/zpty
setup=$(mktemp)
trap 'rm -f $setup' EXIT
cat >$setup <<END
PROMPT= RPROMPT=
unsetopt prompt_cr prompt_sp beep
autoload -Uz compinit; compinit -D
source <("$1" completion zsh)
bindkey '^I' complete-word
compadd() {
  # With these options compadd filters arrays and adds no candidates.
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "\$@"; return; fi
  typeset -a matches; builtin compadd -A matches "\$@"
  (( \$#matches )) && print -rl -- "OFFERED:"\${^matches}
  builtin compadd "\$@"
}
comppostfuncs=(finish); finish() { print -r -- END:; exit }
print -r -- READY:
END
zpty shell zsh -f -i
zpty -w shell "source $setup"
zpty -r -m shell line '*READY:*'
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do
  printed+=$line
  [[ $line == *END:* ]] && break
done
print -r -- $printed | tr -d '\r' | sed -n 's/.*OFFERED://p'
