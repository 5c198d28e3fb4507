-- Every answer is looked at: status 200, and as many of a text as the page has. Called with the text and the number.
local wrong, right = 0, 0
threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) text, number, wrong_answers, right_answers, sample = args[1], tonumber(args[2]), 0, 0, "" end
function response(status, headers, body)
  local found, from = 0, 1
  while true do
    local start, stop = body:find(text, from, true)
    if not start then break end
    found, from = found + 1, stop + 1
  end
  if status == 200 and found == number then
    right_answers = right_answers + 1
  else
    wrong_answers = wrong_answers + 1
    if sample == "" then sample = status .. ", " .. found .. " found" end
  end
end
function done(summary)
  for _, thread in ipairs(threads) do
    wrong, right = wrong + thread:get("wrong_answers"), right + thread:get("right_answers")
    if thread:get("sample") ~= "" then io.write("sample " .. thread:get("sample") .. "\n") end
  end
  local e = summary.errors
  io.write(string.format("result right=%d wrong=%d microseconds=%d lost=%d\n", right, wrong, summary.duration,
    e.connect + e.read + e.write + e.timeout))
end
