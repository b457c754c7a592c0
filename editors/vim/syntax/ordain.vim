" The colours of policies.
if exists("b:current_syntax")
  finish
endif

syntax keyword ordainClause when because from expires with in
syntax keyword ordainConstant true false null
syntax keyword ordainFact input output metadata agent principal tenant environment session resource action now
syntax match ordainStatement /^\s*\(package\|import\|option\|context\|capability\|let\|policy\|test\|history\|rate\|budget\|label\)\>/
syntax match ordainStatement /^\s*\(call\|expect\|rows\|wait\|fails\|approve\|reject\)\>/
syntax match ordainRule /^\s*\(deny\|require_approval\|allow\|redact\|warn\|clear\)\>/
syntax match ordainProperty /^\s*\(type\|risk\|effect\|owner\|description\|scopes\|tags\|labels\|version\)\>/
syntax match ordainStage /\<on\s\+\(before\|after\)\>/
syntax match ordainNumber /\<\d\+\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?u\?\>/
syntax match ordainNumber /\<0[xX]\x\+u\?\>/
syntax match ordainDuration /\<\(\d\+\(ns\|us\|ms\|s\|m\|h\|d\)\)\+\>/
syntax match ordainFunction /\<\h\w*\ze\s*(/
syntax match ordainField /\.?\?\h\w*\>\ze\(\s*(\)\@!/
syntax match ordainEscape /\\./ contained
syntax region ordainString start=/[bB]\?"/ skip=/\\./ end=/"/ oneline contains=ordainEscape
syntax region ordainString start=/[bB]\?'/ skip=/\\./ end=/'/ oneline contains=ordainEscape
syntax region ordainString start=/\<[bB]\?[rR]"/ end=/"/ oneline
syntax region ordainString start=/[bB]\?"""/ skip=/\\./ end=/"""/ contains=ordainEscape
syntax match ordainComment /\/\/.*$/ contains=@Spell

highlight default link ordainClause Keyword
highlight default link ordainConstant Constant
highlight default link ordainFact Identifier
highlight default link ordainStatement Statement
highlight default link ordainRule Conditional
highlight default link ordainProperty Type
highlight default link ordainStage Keyword
highlight default link ordainNumber Number
highlight default link ordainDuration Number
highlight default link ordainFunction Function
highlight default link ordainField Identifier
highlight default link ordainEscape SpecialChar
highlight default link ordainString String
highlight default link ordainComment Comment

let b:current_syntax = "ordain"
