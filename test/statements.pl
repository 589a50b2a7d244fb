#!/usr/bin/perl
# Finds statements joined by commas ("a = 1, b = 2;"), which hide steps from the eye and from a debugger. Lists of declarations, and the
# head of a `for`, are fine. Usage: statements.pl [--fix] FILE...   prints "file:line: statement"; --fix gives each a statement of its own.
use strict;
use warnings;

my $fix = @ARGV && $ARGV[0] eq '--fix' && shift @ARGV;

# The text with comments, strings and preprocessor lines blanked out, at the same positions.
sub blanked {
  my ($text) = @_;
  $text =~ s{(//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\2"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*\#(?:\\\n|[^\n])*)}
            {my $m = $1; my $q = substr($m, 0, 1) eq '"' ? '"' : ' '; $m =~ s/[^\n]/ /g; substr($m, 0, 1) = $q if length $m && $q eq '"'; $m}gsmex;
  return $text;
}

# The piece before the first comma of a statement: 1 for an expression, 2 for a return with a comma in it, 0 for a declaration.
sub expression {
  my ($piece) = @_;
  1 while $piece =~ s/\([^()]*\)/@/g || $piece =~ s/\[[^\[\]]*\]/@/g || $piece =~ s/\{[^{}]*\}/@/g;
  $piece =~ s/^\s+|\s+$//g;
  return $piece !~ /</ ? 2 : 0 if $piece =~ /^return\b/;
  return 0 if $piece eq '' || $piece =~ /^(?:using|typedef|template|struct|class|friend|extern|static|constexpr|const|auto|enum|namespace|inline|operator|case|default|public|private|protected|thread_local|virtual|explicit|throw|goto|asm)\b/;
  return 0 if $piece =~ /\w<[\w:*& ,]*$/;  # the comma of a template's arguments
  my ($left) = $piece =~ /^(.*?)(?:(?<![=!<>])(?:[-+*\/|&^%]|<<|>>)?=(?!=).*)?$/s;
  $left =~ s/\s+$//;
  $left =~ s/^(?:\(void\)|@|\+\+|--|\*|!)\s*//;
  return $left !~ /[\w>&*\]]\s+[\w&*]|<|\w[&*]\s*\w/ ? 1 : 0;
}

my $found = 0;
for my $file (@ARGV) {
  open(my $in, '<', $file) or die "$file: $!\n";
  local $/;
  my $text = <$in>;
  close $in;
  my $code = blanked($text);
  my @stack = ({kind => 'block', start => 0, commas => [], controlled => 0});
  my @edits;
  my $length = length $code;
  pos($code) = 0;
  while ($code =~ /\G(?:\s+|([A-Za-z_]\w*)|([(){}\[\];,:])|.)/gs) {
    my ($word, $mark, $at) = ($1, $2, $+[0]);
    my $top = $stack[-1];
    if (defined $word) {
      if ($top->{kind} eq 'block' && $word =~ /^(?:else|do)$/) { $top->{start} = $at; $top->{commas} = []; $top->{controlled} = 1; }
      next;
    }
    next unless defined $mark;
    my $before = substr($code, 0, $at - 1);
    if ($mark eq '(' || $mark eq '[') {
      my $control = $mark eq q{(} && $top->{kind} eq q{block} && substr($code, $top->{start}, $at - 1 - $top->{start}) =~ /^\s*(?:if|for|while|switch)\s*(?:constexpr\s*)?$/ ? 1 : 0;
      push @stack, {kind => $mark, control => $control};
    } elsif ($mark eq ')' || $mark eq ']') {
      my $closed = @stack > 1 ? pop @stack : $top;
      if ($closed->{control}) { $stack[-1]{start} = $at; $stack[-1]{commas} = []; $stack[-1]{controlled} = 1; }
    } elsif ($mark eq '{') {
      my $statement = $top->{kind} eq 'block' ? substr($code, $top->{start}, $at - 1 - $top->{start}) : '';
      my ($tail) = $before =~ /(.{0,200})$/s;
      my $block = $tail =~ /(?:\)|[;{}:]|\b(?:else|do|try|const|override|noexcept|mutable|final))\s*$/ || $tail =~ /->\s*[\w:<>&* ]+$/ ||
                  $tail =~ /\]\s*$/ && $tail !~ /\w\s*(?:\[[^\[\]]*\]\s*)+$/ || $statement =~ /^\s*$/ ||
                  $statement =~ /^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?(?:namespace|struct|class|union|extern)\b[^=(]*$/s;
      push @stack, {kind => $block ? 'block' : '{', open => $at, start => $at, commas => [], controlled => 0};
    } elsif ($mark eq '}') {
      my $closed = @stack > 1 ? pop @stack : $top;
      my $now = $stack[-1];
      if ($now->{kind} eq 'block' && $closed->{kind} eq 'block') {
        # The end of a compound statement, unless an expression goes on behind a lambda.
        my $statement = substr($code, $now->{start}, $closed->{open} - 1 - $now->{start});
        unless ($statement =~ /\[[^\[\]]*\]\s*(?:\([^{}]*\)\s*)?(?:mutable\s*)?(?:->[^{}]*)?$/s && $statement !~ /operator\s*\[\]/) {
          $now->{start} = $at; $now->{commas} = []; $now->{controlled} = 0;
        }
      }
    } elsif ($mark eq ':' && $top->{kind} eq 'block') {
      if (substr($code, $top->{start}, $at - 1 - $top->{start}) =~ /^\s*(?:case\b.*|default|public|private|protected)\s*$/s &&
          substr($code, $at, 1) ne ':' && substr($code, $at - 2, 1) ne ':') { $top->{start} = $at; $top->{commas} = []; }
    } elsif ($mark eq ',' && $top->{kind} eq 'block') {
      push @{$top->{commas}}, $at - 1;
    } elsif ($mark eq ';' && $top->{kind} eq 'block') {
      my @commas = @{$top->{commas}};
      my $kind = @commas ? expression(substr($code, $top->{start}, $commas[0] - $top->{start})) : 0;
      if ($kind) {
        my $line = 1 + (substr($code, 0, $commas[0]) =~ tr/\n//);
        my $shown = substr($text, $top->{start}, $at - $top->{start});
        $shown =~ s/\s+/ /g;
        print "$file:$line:$shown\n" unless $fix;
        ++$found;
        push @edits, {from => $top->{start}, to => $at, commas => [@commas], controlled => $top->{controlled}} if $kind == 1;
      }
      $top->{start} = $at; $top->{commas} = []; $top->{controlled} = 0;
    }
  }
  next unless $fix && @edits;
  for my $edit (sort { $b->{from} <=> $a->{from} } @edits) {
    # An edit around another one is left for the next run.
    next if grep { $_ != $edit && $_->{from} > $edit->{from} && $_->{to} < $edit->{to} } @edits;
    substr($text, $edit->{to}, 0) = ' }' if $edit->{controlled};
    substr($text, $_, 1) = ';' for @{$edit->{commas}};
    substr($text, $edit->{from}, 0) = ' {' if $edit->{controlled};
  }
  open(my $out, '>', $file) or die "$file: $!\n";
  print $out $text;
  close $out;
}
exit($found && !$fix ? 1 : 0);
