// The syntax of .policy files: a small layer of rules around CEL expressions. This file is its
// only definition.
//
// Every word of the rule layer is a token of its own. `name`, `selector` and `reservedWord` list
// the words that are still names in their place. Every decision needs a bounded number of tokens of
// look-ahead, so SLL prediction is exact.
grammar Ordain;

// --- files ---------------------------------------------------------------------------------------------------------

file         : packageDecl? item* EOF ;
packageDecl  : 'package' path ';' ;
item         : importDecl | optionDecl | contextDecl | capabilityDecl | letDecl | historyDecl | rateDecl | budgetDecl | labelDecl
             | policyDecl | testDecl | ';' ;
importDecl   : 'import' (path | text) ';' ;               // a text names a file, relative to this one
optionDecl   : 'option' name '=' (name | DURATION | INT) ';' ;
letDecl      : 'let' name '=' (dataFile | expr) ';' ;
dataFile     : name text (name text)? 'of' typeRef ;      // data "payees.csv" column "iban" of string

// --- what the host and the tools supply ----------------------------------------------------------------------------

contextDecl    : 'context' '{' contextEntry* '}' ;
contextEntry   : name record ';'? ;

capabilityDecl : capabilityHead '{' capabilityProperty* '}' ;
capabilityHead : 'capability' capabilityName ;
capabilityName : path | text ;                            // a text is a tool name that is not a path
capabilityProperty
    : ('type' | 'owner' | 'description') text ';'
    | 'risk' name ';'
    | 'effect' name (',' name)* ';'
    | ('scopes' | 'tags') text (',' text)* ';'
    | 'labels' name (',' name)* ';'
    | ('input' | 'output') record ';'?
    ;
record       : 'open'? '{' (field (',' field)* ','?)? '}' ;
field        : selector ':' typeRef ;
typeRef      : 'secret'? typeOption ('|' typeOption)* ;   // `secret` alone is a name
typeOption   : path ('(' typeArgument (',' typeArgument)* ')')? | record | typeLiteral ;
typeArgument : name typeNumber | typeRef ;                // `max 64`; a number alone is a bound, too
typeLiteral  : text | typeNumber | 'true' | 'false' ;
typeNumber   : '-'? (INT | UINT | FLOAT) ;

// --- what is remembered between calls -------------------------------------------------------------------------------

// The first name of a history is its verb: begun, done, failed or denied. Clauses come in any order, each at most once,
// which is checked after parsing.
historyDecl    : 'history' name '=' name targets historyClause* ';' ;
historyClause
    : 'sum' expr 'signed'?
    | 'when' expr
    | keyClause
    | 'within' DURATION
    | 'up' 'to' INT
    ;
keyClause    : 'by' path (',' path)* ;
targets      : target (',' target)* ;

rateDecl     : 'rate' name '=' INT 'in' DURATION ('burst' INT)? 'on' targets keyClause ';' ;

budgetDecl   : 'budget' name '=' (INT | UINT | FLOAT | DURATION) budgetClause* '{' budgetTake budgetSettle? '}' ;
budgetClause : keyClause | 'each' name ('in' text)? | 'at' 'once' ;
budgetTake   : 'take' expr 'on' targets ';' ;
budgetSettle : 'settle' expr ';' ;

labelDecl    : 'label' name (',' name)* ';' ;

// --- policies ------------------------------------------------------------------------------------------------------

policyDecl     : policyHead '{' policyProperty* (policyRule | labelRule)* '}' ;
policyHead     : 'policy' name 'on' ('before' | 'after') target (',' target)* ;
target         : targetSegment ('.' targetSegment)* | text ;
targetSegment  : selector | '*' ;
policyProperty : ('version' | 'description') text ';' ;

// Clauses come in any order, each at most once, which is checked after parsing.
policyRule
    : ('deny' | 'require_approval' | 'allow' | 'warn') name? clause* ';'
    | 'redact' name? redactPath clause* ';'
    ;
clause
    : ('when' | 'because' | 'with') expr
    | 'from' fromCount? expr ('distinct' '=' ('true' | 'false'))?
    | 'expires' (DURATION | expr)
    ;
fromCount    : ('any' | INT) 'of' ;                       // without it, every group must approve
labelRule    : ('label' | 'clear') name name? clause* ';' ;   // one name alone is the label
redactPath   : ('input' | 'output') redactStep* ;
redactStep   : '.' selector | '[' '*' ']' ;

// --- tests ---------------------------------------------------------------------------------------------------------

testDecl     : testHead '{' (testStep | letDecl | rowsDecl)* '}' ;
testHead     : 'test' text ;
testStep     : callStep | expectStep | waitStep | failsStep | answerStep ;
callStep     : 'call' capabilityName fieldBlock? ('like' expr)? ('returns' expr)? ('with' binding (',' binding)*)? ';' ;
expectStep   : outcome ';' ;
outcome      : 'expect' name ('by' (path | text))? ;
waitStep     : 'wait' DURATION ';' ;
failsStep    : 'fails' ';' ;
answerStep   : 'approve' ('from' text)? ('as' (name | text))? ';' | 'reject' ';' ;
binding      : path '=' expr ;
rowsDecl     : rowsHead '{' rowDecl* '}' ;                // the test runs once for each row
rowsHead     : 'rows' name (',' name)* ;
rowDecl      : expr (',' expr)* outcome* ';' ;

// --- expressions: CEL ----------------------------------------------------------------------------------------------

loneExpr     : expr EOF ;

// A conditional is right-associative. It is written as a loop and folded from the right, so that
// long ones do not recurse.
expr         : chain ('?' chain ':' chain)* ;

// Binary operators are one flat list. From the loosest to the tightest, all left-associative:
// ||   &&   < <= >= > == != in   + -   * / %
chain        : operand (('*' | '/' | '%' | '+' | '-' | '<' | '<=' | '>=' | '>' | '==' | '!=' | 'in' | '&&' | '||') operand)* ;
operand      : ('!'+ | '-'+)? primary suffix* ;
suffix
    : '.' '?'? selector arguments?                        // `.?` takes no arguments
    | '[' '?'? expr ']'
    | fieldBlock                                          // a message, T{f: v}
    ;
primary
    : '.'? name arguments?
    | '(' expr ')'
    | listLiteral
    | mapLiteral
    | INT | UINT | FLOAT | STRING | RAW_STRING | BYTES | 'true' | 'false' | 'null'
    ;
arguments    : '(' (expr (',' expr)*)? ')' ;
listLiteral  : '[' (listElement (',' listElement)*)? ','? ']' ;
listElement  : '?'? expr ;
mapLiteral   : '{' (mapEntry (',' mapEntry)*)? ','? '}' ;
mapEntry     : '?'? (expr | clauseWord | reservedWord | ESC_ID) ':' expr ;   // bare words: only in a test's records
fieldBlock   : '{' (fieldInit (',' fieldInit)*)? ','? '}' ;
fieldInit    : '?'? selector ':' expr ;

// --- names ---------------------------------------------------------------------------------------------------------

path         : name ('.' selector)* ;
text         : STRING | RAW_STRING ;

// Names that may begin an expression or a declaration: neither CEL's own words nor the words that
// open a clause.
name         : ID | softWord ;
// A name after a dot, and a field's name: any word except `true`, `false`, `null`, `in`.
selector     : ID | ESC_ID | softWord | clauseWord | reservedWord ;

softWord
    : 'context' | 'capability' | 'policy' | 'option' | 'on' | 'before' | 'after' | 'deny' | 'require_approval' | 'allow'
    | 'redact' | 'warn' | 'type' | 'risk' | 'effect' | 'input' | 'output' | 'open' | 'secret' | 'owner' | 'description'
    | 'scopes' | 'tags' | 'version' | 'test' | 'call' | 'like' | 'returns' | 'expect' | 'rows' | 'by' | 'any' | 'of'
    | 'distinct'
    | 'history' | 'rate' | 'budget' | 'label' | 'labels' | 'clear' | 'sum' | 'signed' | 'within' | 'up' | 'to' | 'burst'
    | 'each' | 'at' | 'once' | 'take' | 'settle' | 'wait' | 'fails' | 'approve' | 'reject'
    ;
clauseWord   : 'when' | 'because' | 'from' | 'expires' | 'with' ;
reservedWord : RESERVED | 'package' | 'import' | 'let' | 'as' ;

// --- lexis ---------------------------------------------------------------------------------------------------------

K_PACKAGE : 'package' ;
K_IMPORT : 'import' ;
K_OPTION : 'option' ;
K_LET : 'let' ;
K_AS : 'as' ;
K_CONTEXT : 'context' ;
K_CAPABILITY : 'capability' ;
K_POLICY : 'policy' ;
K_TEST : 'test' ;
K_TYPE : 'type' ;
K_OWNER : 'owner' ;
K_DESCRIPTION : 'description' ;
K_RISK : 'risk' ;
K_EFFECT : 'effect' ;
K_SCOPES : 'scopes' ;
K_TAGS : 'tags' ;
K_INPUT : 'input' ;
K_OUTPUT : 'output' ;
K_OPEN : 'open' ;
K_SECRET : 'secret' ;
K_ON : 'on' ;
K_BEFORE : 'before' ;
K_AFTER : 'after' ;
K_VERSION : 'version' ;
K_DENY : 'deny' ;
K_REQUIRE_APPROVAL : 'require_approval' ;
K_ALLOW : 'allow' ;
K_REDACT : 'redact' ;
K_WARN : 'warn' ;
K_WHEN : 'when' ;
K_BECAUSE : 'because' ;
K_FROM : 'from' ;
K_EXPIRES : 'expires' ;
K_WITH : 'with' ;
K_CALL : 'call' ;
K_LIKE : 'like' ;
K_RETURNS : 'returns' ;
K_EXPECT : 'expect' ;
K_ROWS : 'rows' ;
K_BY : 'by' ;
K_ANY : 'any' ;
K_OF : 'of' ;
K_HISTORY : 'history' ;
K_RATE : 'rate' ;
K_BUDGET : 'budget' ;
K_LABEL : 'label' ;
K_LABELS : 'labels' ;
K_CLEAR : 'clear' ;
K_SUM : 'sum' ;
K_SIGNED : 'signed' ;
K_WITHIN : 'within' ;
K_UP : 'up' ;
K_TO : 'to' ;
K_BURST : 'burst' ;
K_EACH : 'each' ;
K_AT : 'at' ;
K_ONCE : 'once' ;
K_TAKE : 'take' ;
K_SETTLE : 'settle' ;
K_WAIT : 'wait' ;
K_FAILS : 'fails' ;
K_APPROVE : 'approve' ;
K_REJECT : 'reject' ;
K_DISTINCT : 'distinct' ;
K_TRUE : 'true' ;
K_FALSE : 'false' ;
K_NULL : 'null' ;
K_IN : 'in' ;

SEMICOLON : ';' ;
COMMA : ',' ;
DOT : '.' ;
COLON : ':' ;
QUESTION : '?' ;
ASSIGN : '=' ;
LPAREN : '(' ;
RPAREN : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE : '{' ;
RBRACE : '}' ;
STAR : '*' ;
SLASH : '/' ;
PERCENT : '%' ;
PLUS : '+' ;
MINUS : '-' ;
NOT : '!' ;
LESS : '<' ;
LESS_EQUAL : '<=' ;
GREATER_EQUAL : '>=' ;
GREATER : '>' ;
EQUAL : '==' ;
NOT_EQUAL : '!=' ;
AND : '&&' ;
OR : '||' ;
BAR : '|' ;

RESERVED : 'break' | 'const' | 'continue' | 'else' | 'for' | 'function' | 'if' | 'loop' | 'namespace' | 'return' | 'var'
         | 'void' | 'while' ;
ID       : [_a-zA-Z] [_a-zA-Z0-9]* ;
ESC_ID   : '`' [a-zA-Z0-9_./ -]+ '`' ;

DURATION : ([0-9]+ ('ns' | 'us' | 'ms' | 's' | 'm' | 'h' | 'd'))+ ;
FLOAT    : [0-9]* '.' [0-9]+ EXPONENT? | [0-9]+ EXPONENT ;
INT      : [0-9]+ | '0' [xX] HEX+ ;
UINT     : INT [uU] ;

// Whether an escape is valid is checked when a literal is decoded, because the message can then
// point at the escape.
STRING     : '"' (ESCAPE | ~[\\"\r\n])* '"' | '\'' (ESCAPE | ~[\\'\r\n])* '\'' | LONG_D '"""' | LONG_S '\'\'\'' ;
RAW_STRING : [rR] ('"' ~["\r\n]* '"' | '\'' ~['\r\n]* '\'' | RAW_LONG_D '"""' | RAW_LONG_S '\'\'\'') ;
BYTES      : [bB] (STRING | RAW_STRING) ;

// A string that is never closed, as one token. A long one runs to the end of the file; as several
// tokens, each opening quote would read the rest of the file again.
BAD_STRING
    : [bB]? ('"' (ESCAPE | ~[\\"\r\n])* '\\'? | '\'' (ESCAPE | ~[\\'\r\n])* '\\'? | LONG_D '"'? '"'? '\\'? | LONG_S '\''? '\''? '\\'?)
    | [bB]? [rR] ('"' ~["\r\n]* | '\'' ~['\r\n]* | RAW_LONG_D '"'? '"'? | RAW_LONG_S '\''? '\''?)
    ;

WS       : [ \t\r\n\f]+ -> skip ;
COMMENT  : '//' ~[\n]* -> skip ;
BAD_CHAR : . ;

// The opening quotes of a long string and all text that does not close it: fewer than three quotes,
// then another character.
fragment LONG_D     : '"""'    (LONG_ESCAPE | ~["\\] | '"'  (LONG_ESCAPE | ~["\\]) | '""'   (LONG_ESCAPE | ~["\\]))* ;
fragment LONG_S     : '\'\'\'' (LONG_ESCAPE | ~['\\] | '\'' (LONG_ESCAPE | ~['\\]) | '\'\'' (LONG_ESCAPE | ~['\\]))* ;
fragment RAW_LONG_D : '"""'    (~["] | '"'  ~["] | '""'   ~["])* ;
fragment RAW_LONG_S : '\'\'\'' (~['] | '\'' ~['] | '\'\'' ~['])* ;
fragment LONG_ESCAPE : '\\' . ;
fragment ESCAPE      : '\\' ~[\r\n] ;
fragment EXPONENT    : [eE] [+-]? [0-9]+ ;
fragment HEX         : [0-9a-fA-F] ;
