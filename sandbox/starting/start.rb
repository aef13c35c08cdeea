# Loaded before a test script: it tells when the script came to its end.
#
# The last line that it prints is a word that nobody can guess, with the exit code. An exit counts
# only if the script's own text asked for it. Without the word's file, as in a process that the
# script starts, this does nothing.
lambda do
  script = File.join(__dir__, "script.rb:")
  begin
    word = File.open(File.join(__dir__, "word"))
    File.unlink(word.path)
  rescue SystemCallError
    next
  end
  output, process = $stdout.dup, Process.pid
  at_exit do
    next if Process.pid != process
    code, proven = 0, $!.nil?
    if $!.is_a?(SystemExit)
      ours = ($!.backtrace || [""]).first.to_s.start_with?(script)
      code, proven = $!.status, ours && Kernel.instance_method(:exit).source_location.nil?
    end
    $stdout.flush
    output.syswrite("\x1e#{word.read.strip} #{code}\n") if proven
  rescue SystemCallError, IOError
    next # without the word, nothing is proven
  end
end.call
