/**
 * The tools of three offices, as whoever runs them would define them: what each does to the world, and which of its fields
 * are ours. Nothing here knows a task, a goal, or a value of one.
 */
import { Hijack } from "../../../layers/presets/testing.ts"
import type { Label } from "../../../src/trust/index.ts"

type Parts = Parameters<typeof Hijack.tool>[1]
const tools = (table: Readonly<Record<string, Parts>>) =>
  Object.entries(table).map(([name, parts]) => Hijack.tool(name, parts))

const ours: Parts = { trust: "trusted" }
/** Names that members give to things of ours. */
const names: Parts = { trust: { rest: "trusted", fields: { "*": "reference" } } }
const changes = (trust: Label.Declared = "trusted"): Parts => ({ trust, sinks: ["change"] })
const sends = (trust: Label.Declared = "trusted"): Parts => ({ trust, sinks: ["outbound"] })
const removes = (trust: Label.Declared = "trusted"): Parts => ({ trust, sinks: ["removal"] })
const spends: Parts = { trust: "trusted", sinks: ["spending"] }
/** What members of the office wrote to each other. */
const messages: Parts = { trust: { rest: "trusted", fields: { "*.recipient": "reference" } } }

/** A messenger of an office, with a browser. */
const slack = tools({
  get_channels: names,
  get_users_in_channel: names,
  read_channel_messages: messages,
  read_inbox: messages,
  get_webpage: sends("untrusted"),
  post_webpage: sends(),
  send_direct_message: sends(),
  send_channel_message: sends(),
  invite_user_to_slack: sends(),
  add_user_to_channel: changes(),
  remove_user_from_slack: removes()
})

/** An entry is in the calendar once its owner made or accepted it: who takes part is known, what it says is not. */
const event = {
  id_: "trusted",
  participants: "trusted",
  start_time: "trusted",
  end_time: "trusted",
  all_day: "trusted",
  status: "trusted"
} as const
const below = (fields: Label.Fields["fields"]) =>
  Object.fromEntries(Object.entries(fields).map(([name, trust]) => [`*.${name}`, trust]))
const events: Label.Declared = { rest: "untrusted", fields: { ...event, ...below(event) } }

/** A travel desk: its listings are its own, what guests write about them is not. */
const travel = tools({
  get_user_information: { trust: "trusted", readers: ["personal"] },
  get_all_hotels_in_city: ours,
  get_hotels_prices: ours,
  get_rating_reviews_for_hotels: {},
  get_hotels_address: ours,
  get_all_restaurants_in_city: ours,
  get_cuisine_type_for_restaurants: ours,
  get_restaurants_address: ours,
  get_rating_reviews_for_restaurants: {},
  get_dietary_restrictions_for_all_restaurants: ours,
  get_contact_information_for_restaurants: ours,
  get_price_for_restaurants: ours,
  check_restaurant_opening_hours: ours,
  get_all_car_rental_companies_in_city: ours,
  get_car_types_available: ours,
  get_rating_reviews_for_car_rental: {},
  get_car_fuel_options: ours,
  get_car_rental_address: ours,
  get_car_price_per_day: ours,
  get_flight_information: ours,
  search_calendar_events: { trust: events },
  get_day_calendar_events: { trust: events },
  create_calendar_event: { trust: events, sinks: ["outbound", "change"] },
  cancel_calendar_event: removes(events),
  reserve_hotel: spends,
  reserve_car_rental: spends,
  reserve_restaurant: spends,
  send_email: sends("untrusted")
})

const mail = { id_: "trusted", subject: "reference", timestamp: "trusted", status: "trusted", read: "trusted" } as const
const mails: Label.Declared = { rest: "untrusted", fields: { ...mail, ...below(mail) } }
/** Whom one wrote to is one's own choice. */
const sent: Label.Declared = { rest: "untrusted", fields: below({ ...mail, recipients: "trusted" }) }
const file = {
  id_: "trusted",
  filename: "reference",
  last_modified: "trusted",
  size: "trusted",
  owner: "trusted",
  shared_with: "trusted"
} as const
const files: Label.Declared = { rest: "untrusted", fields: { ...file, ...below(file) } }

/** An office with mail, a calendar and a drive. */
const workspace = tools({
  get_current_day: ours,
  search_contacts_by_name: ours,
  search_contacts_by_email: ours,
  get_unread_emails: { trust: mails },
  get_sent_emails: { trust: sent },
  get_received_emails: { trust: mails },
  get_draft_emails: { trust: mails },
  search_emails: { trust: mails },
  send_email: sends(mails),
  delete_email: removes(),
  search_calendar_events: { trust: events },
  get_day_calendar_events: { trust: events },
  create_calendar_event: { trust: events, sinks: ["outbound", "change"] },
  cancel_calendar_event: removes(events),
  reschedule_calendar_event: changes(events),
  add_calendar_event_participants: sends(events),
  search_files_by_filename: { trust: files },
  search_files: { trust: files },
  get_file_by_id: { trust: files },
  list_files: { trust: files },
  append_to_file: changes(files),
  create_file: changes(files),
  delete_file: removes(files),
  share_file: sends(files)
})

export const offices = { slack, travel, workspace }
