-- token_declared: each key now says whether its person had roles of their own in the settings when it was made: nobody without them
alter table token add column declared boolean default false;
