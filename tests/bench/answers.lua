-- Every answer is looked at: status 200, and all twelve posts of the page.
local wrong, right, posts = 0, 0, 12
threads = {}
function setup(thread) table.insert(threads, thread) end
function init() wrong_answers, right_answers, sample = 0, 0, "" end
function response(status, headers, body)
  local _, found = body:gsub('class="post"', '')
  if status == 200 and found == posts then
    right_answers = right_answers + 1
  else
    wrong_answers = wrong_answers + 1
    if sample == "" then sample = status .. ", " .. found .. " posts" end
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
